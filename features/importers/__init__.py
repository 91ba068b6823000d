"""Importers: turn other people's files into the tables of the contract."""
