"""Invoices and receipts: what they must say, as Factur-X, as archived PDF, and checked."""
