"""What we know about a listing at a moment: contract, signals, features, online snapshot."""
