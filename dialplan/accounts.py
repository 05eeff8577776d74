"""Names of the phone accounts."""

import re

from settings.trunks import ONLY

AMI_USER = "dialer"
AGI = "agi"
"""The account whose password proves to ivr that our own Asterisk asks."""
ASKS = "asks"
"""The account whose password names the round-trip probe of ivr to Asterisk, so that nobody else can use it.
"""
DESK_EXTENSION = "1"
"""The digit that a desk's phone dials to enter its conference room. The desk's key follows, if it has one."""

BROWSER_PHONES = {f"phone-{line}": f"+98999000000{line}" for line in range(1, 6)}
"""The citizens' phones of /phone: their accounts and numbers."""

_TRUNK_CHANNEL = re.compile(rf"PJSIP/{ONLY}(?:-([a-z0-9-]+))?-[0-9a-f]{{8}}$")
_DESK_CHANNEL = re.compile(r"PJSIP/desk-(\d+)(-sip)?-[0-9a-f]+$")


def get_trunk_account(name: str) -> str:
    """Return the account of a trunk's calls."""
    return ONLY if name == ONLY else f"{ONLY}-{name}"


def get_options_account(name: str) -> str:
    """Return the account that sends OPTIONS to the trunk.

    Calls use another account: a trunk that never answers OPTIONS may still take calls.
    """
    return "trunk-alive" if name == ONLY else f"alive-{name}"


def find_channel_trunk(channel: str) -> str | None:
    """Return the trunk of a channel such as PJSIP/trunk-second-00000017."""
    match = _TRUNK_CHANNEL.match(channel)
    return (match[1] or ONLY) if match else None


def get_desk_account(number: int, *, sip: bool = False) -> str:
    """Return the account of a desk's phone in the browser, or of its SIP phone."""
    return f"desk-{number}-sip" if sip else f"desk-{number}"


def is_sip_phone(channel: str) -> bool:
    """Return whether a desk's channel is that of its SIP phone, not of a browser."""
    match = _DESK_CHANNEL.match(channel)
    return bool(match and match[2])


def find_channel_desk(channel: str) -> int | None:
    """Return the desk of a channel such as PJSIP/desk-3-00000017."""
    match = _DESK_CHANNEL.match(channel)
    return int(match[1]) if match else None
