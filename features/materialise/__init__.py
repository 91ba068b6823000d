"""Make, refresh and publish online snapshots."""
