"""SEPA direct debits: mandates, announcements, and the files that the creditor's bank takes."""
