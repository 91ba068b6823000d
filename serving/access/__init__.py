"""API keys: who may ask the service for what, and how often."""
