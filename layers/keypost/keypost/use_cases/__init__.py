"""What the system does, one verb each."""
