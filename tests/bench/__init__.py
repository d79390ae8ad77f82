"""What Keypost costs, in calls, capacity, instructions and dollars: `make bench`."""
