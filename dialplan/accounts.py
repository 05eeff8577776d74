"""Names of the phone accounts."""

import re

from settings.trunks import ONLY

AMI_USER = "dialer"
AGI = "agi"
"""Whose password tells ivr that it is our own Asterisk that asks."""
ASKS = "asks"
"""Whose password is the name by which ivr asks Asterisk how long its line takes: nobody else knows it."""
DESK_EXTENSION = "1"
"""The digit that a desk's phone dials to enter its room; its key follows, if it has one."""

BROWSER_PHONES = {f"phone-{line}": f"+98999000000{line}" for line in range(1, 6)}
"""The citizens' phones of /phone: account to number."""

_TRUNK_CHANNEL = re.compile(rf"PJSIP/{ONLY}(?:-([a-z0-9-]+))?-[0-9a-f]{{8}}$")
_DESK_CHANNEL = re.compile(r"PJSIP/desk-(\d+)(-sip)?-[0-9a-f]+$")


def trunk(name: str) -> str:
    """The account of a trunk's calls."""
    return ONLY if name == ONLY else f"{ONLY}-{name}"


def trunk_alive(name: str) -> str:
    """Asked now and then how the trunk is; calls do not go by it: one that never answers is called, too."""
    return "trunk-alive" if name == ONLY else f"alive-{name}"


def trunk_of_channel(channel: str) -> str | None:
    """Whose channel one such as PJSIP/trunk-second-00000017 is."""
    match = _TRUNK_CHANNEL.match(channel)
    return (match[1] or ONLY) if match else None


def desk(number: int, *, sip: bool = False) -> str:
    """The account of a desk's phone in the browser, or of its SIP phone."""
    return f"desk-{number}-sip" if sip else f"desk-{number}"


def is_sip_phone(channel: str) -> bool:
    """Whether a desk's channel is that of its SIP phone, not of a browser."""
    match = _DESK_CHANNEL.match(channel)
    return bool(match and match[2])


def desk_of_channel(channel: str) -> int | None:
    """Which desk's phone a channel such as PJSIP/desk-3-00000017 is."""
    match = _DESK_CHANNEL.match(channel)
    return int(match[1]) if match else None
