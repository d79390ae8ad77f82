"""Why an order is set aside."""

from enum import StrEnum


class AsideReason(StrEnum):
    """Why an order is set aside."""

    UNREADABLE = "unreadable"  # its item is not as any version stores it
    NEWER_VERSION = "newer_version"  # only a newer version of Keypost can write it
    FAILING = "failing"  # its step fails again and again, or never ends
