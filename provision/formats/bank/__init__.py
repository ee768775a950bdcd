"""Bank statements in, whatever the format, and proposals of what each movement pays."""
