"""Stories across rooms, readable aloud."""
