"""Who subscribed to what from day to day, and what that bills."""
