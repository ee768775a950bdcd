"""What is read back: books, settlements, reports."""
