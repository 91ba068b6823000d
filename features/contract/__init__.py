"""The source tables: their columns, checks and privacy."""
