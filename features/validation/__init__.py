"""Check source tables against the contract; quarantine what breaks it."""
