"""Subscribers, and what is known of persons."""
