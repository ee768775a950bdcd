"""Ways to publish records: by hand, or by signed updates to a Knot server."""
