"""What commands share: words that are typed, tables, asking, progress."""
