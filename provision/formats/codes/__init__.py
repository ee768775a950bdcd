"""Codes that others keep: countries, VAT territories, numbers of businesses, postcodes."""
