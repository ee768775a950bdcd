"""Numbered papers: drafted, issued, credited, deducted, and what is open on each."""
