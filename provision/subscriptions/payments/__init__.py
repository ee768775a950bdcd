"""Money on its way: mandates, collections, bank statements, what came back, and reminders."""
