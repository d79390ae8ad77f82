"""Keypost: a paid order becomes a license in the customer's mailbox."""

# template.yaml (the output Version) and pyproject.toml state it too; tests/test_template.py compares the three.
__version__ = "0.1.0"
