"""Who is reminded of what, when, in which words, and who is left in peace."""
