"""Money on its way: mandates, collections, what the bank took, and what came back."""
