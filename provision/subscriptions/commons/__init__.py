"""What is held or given in common: funds, promised debts, gifts, time, local currencies, barter."""
