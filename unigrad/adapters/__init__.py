"""What an adapter is, and which one is meant."""
