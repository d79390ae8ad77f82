"""What is called outside, one module for each."""
