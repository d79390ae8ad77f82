"""The events of SES for the mails of a smoke test."""

from cli.stacks import Stack
from keypost.use_cases import take_mail_event
from tests.builders import NOW, ses_event

TOLD = {
    "success": ["send", "delivery"],
    "bounce": ["bounce_permanent", "send"],
    "ooto": ["out_of_office", "delivery", "send"],
    "complaint": ["delivery", "complaint"],
    "suppressionlist": ["send", "bounce_suppressed"],
}


def tell(stack: Stack, run: str, *which: str) -> None:
    """Report these fates of a run's mails, as EventBridge would."""
    for name in which:
        for kind in TOLD[name]:
            take_mail_event.take(stack.store, ses_event(kind, "none", f"smoke_2d{run}_2d{name}"), NOW, stack.zone)
