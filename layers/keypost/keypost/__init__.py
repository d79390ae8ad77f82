"""Keypost: a paid order becomes a license in the customer's mailbox."""
