"""Bundles: write, verify, sign, load and inspect them."""
