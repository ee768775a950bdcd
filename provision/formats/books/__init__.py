"""A journal for others to read: the tax office, accountants' programs, spreadsheets, platforms."""
