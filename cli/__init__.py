"""The operator's command `keypost`, and the system on one machine."""
