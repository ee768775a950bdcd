"""What is held or given in common, and receipts."""
