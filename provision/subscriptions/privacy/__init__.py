"""What is known of persons: shown to them, kept apart, and forgotten when nothing needs it."""
