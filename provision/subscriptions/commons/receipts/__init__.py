"""Membership fees and donations that associations receive, and the receipts that they give."""
