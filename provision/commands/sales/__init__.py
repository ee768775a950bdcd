"""What is sold to whom, under which contract, and the invoices of it."""
