"""What one subscriber has: orders, bundles, users, phones, backups."""
