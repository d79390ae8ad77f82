"""Turns text and bytes from outside into values, or raises InvalidInput."""
