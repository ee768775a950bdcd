"""What is kept of a bundle on another machine: looked at, restored, exported."""
