"""What is sold, at which price, taxed how, and shared by which contract."""
