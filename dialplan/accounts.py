"""Names of the phone accounts."""

import re

TRUNK = "trunk"
TRUNK_ALIVE = "trunk-alive"
"""Asked every few seconds how the trunk is; calls do not go by it: one that never answers is called, too."""
AMI_USER = "dialer"
AGI = "agi"
"""Whose password tells ivr that it is our own Asterisk that asks."""
DESK_EXTENSION = "1"
"""What a desk's phone dials to sit down in its room."""

BROWSER_PHONES = {f"phone-{line}": f"+98999000000{line}" for line in range(1, 6)}
"""The citizens' phones of /phone: account to number."""

_DESK_CHANNEL = re.compile(r"PJSIP/desk-(\d+)(?:-sip)?-[0-9a-f]+$")


def desk(number: int, *, sip: bool = False) -> str:
    """The account of a desk's phone in the browser, or of its SIP phone."""
    return f"desk-{number}-sip" if sip else f"desk-{number}"


def desk_of_channel(channel: str) -> int | None:
    """Which desk's phone a channel such as PJSIP/desk-3-00000017 is."""
    match = _DESK_CHANNEL.match(channel)
    return int(match[1]) if match else None
