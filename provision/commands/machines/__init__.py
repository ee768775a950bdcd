"""Servers, what they install, and names."""
