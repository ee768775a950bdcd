"""Checks look at a bundle or a server from outside, as its clients do, and return findings."""
