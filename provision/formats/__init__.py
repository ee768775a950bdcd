"""What others defined, read and written by pure functions: no session, no registry."""
