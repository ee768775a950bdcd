"""Runs: one way for every long action, carried out here or by workers, resumed after any fault."""
