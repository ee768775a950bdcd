"""Names: which DNS records a bundle needs, what differs, and how the difference is published."""
