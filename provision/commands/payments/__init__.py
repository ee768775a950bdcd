"""Money in: mandates, debits, the bank, what is not paid yet."""
