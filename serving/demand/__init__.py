"""The demand behind a share of a lot, and its distribution."""
