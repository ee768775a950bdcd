"""What a seller owes for its sales: counted, invoiced, settled, once."""
