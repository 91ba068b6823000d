"""The source tables: their columns, rules and privacy."""
