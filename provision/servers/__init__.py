"""Debian machines: their inventory, first contact, plays, and who may change them."""
