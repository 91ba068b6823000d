"""The decision log: what was scored, from what and with which result; kept, proved, replayed."""
