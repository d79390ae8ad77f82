"""The events that SES would report about a mail; the emulator reports none."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.local.deploy import ROOT

if TYPE_CHECKING:
    from cli.local.mailbox import SentMail

FATES = {
    "delivered": "delivery.json",
    "out of office": "out_of_office.json",
    "bounced": "bounce_permanent.json",
    "complained": "complaint.json",
}
SUPPRESSED = {"bounced": "BOUNCE"}  # the reason in the suppression list of SES, as the configuration set has it
_SAMPLE_ADDRESS = "facturen@klant.example"


def ses_event(mail: "SentMail", fate: str) -> dict[str, Any]:
    """An event about a mail of this mailbox, in the envelope of EventBridge."""
    text = (ROOT / "events/ses" / FATES[fate]).read_text("utf-8")
    event: dict[str, Any] = json.loads(text.replace(_SAMPLE_ADDRESS, json.dumps(mail.to[0])[1:-1]))
    told, about = event["detail"], event["detail"]["mail"]
    told[told["eventType"].lower()]["timestamp"] = _stamp(datetime.now(UTC))
    about |= {"messageId": mail.message_id, "timestamp": _stamp(mail.at)}
    about["tags"] |= {name: [value] for name, value in mail.tags.items()}
    return event


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
