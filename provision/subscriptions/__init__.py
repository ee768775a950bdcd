"""The wing of money: what is sold, how it is shared, and the ledger that remembers every cent."""
