"""What is read back of the ledger: papers, VAT, cut-off, lettering, exports, and the proof."""
