"""What the system does, one verb per module."""
