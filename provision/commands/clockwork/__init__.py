"""Runs, their times, and the workers that carry them out."""
