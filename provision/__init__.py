"""Paquet orders, checks, backs up and sells degoogled bundles."""
