"""What a cooperation tells its members about its money: pure figures, rows and one page."""
