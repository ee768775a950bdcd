"""What card providers paid out, and of which payments it is made."""
