"""The heartbeat: tells a monitor outside of AWS that a daily rule ran and found everything in order. It rings when it
hears nothing, also when AWS's own alarms cannot."""

from typing import TYPE_CHECKING

from keypost import telemetry

if TYPE_CHECKING:
    from keypost.clients.outside import Outside


def beat(outside: "Outside", url: str) -> None:
    """Whatever goes wrong is logged, without the URL, and nothing else: who is missed is the monitor's to say."""
    with telemetry.optional():
        status = outside.call("GET", url)
        is_heard = status is not None and status // 100 == 2  # noqa: PLR2004 - 2xx
        telemetry.outcome("HeartbeatSent" if is_heard else "HeartbeatNotHeard", status=status)
