"""Validated tables, opened in an engine, and the ways to count days."""
