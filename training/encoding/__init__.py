"""Encode columns of a table for estimators."""
