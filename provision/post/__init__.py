"""The post: letters that wait, leave once, come back, or are printed; it knows no other room."""
