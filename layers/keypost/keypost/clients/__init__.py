"""The clients of services outside, one module for each."""
