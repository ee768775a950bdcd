"""Lists of clients as others keep them: spreadsheets, and exports of other programs."""
