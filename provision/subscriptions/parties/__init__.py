"""Who: organisations, their profiles, subscribers, and the names by which books know them."""
