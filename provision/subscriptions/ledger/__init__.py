"""One journal per organisation: double entry, only added to, sealed."""
