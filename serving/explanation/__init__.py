"""Explain predictions: what moves each away from the usual listing of its market."""
