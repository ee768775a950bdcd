"""One click group per file: parse, call, show."""
