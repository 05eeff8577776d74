"""Ends every call that this node has placed, when its lease is over."""

import logging
from collections.abc import Mapping, Sequence

from dialer.ami import Ami, AmiError, NotAccepted
from dialplan.variables import Context
from hotline.calls_until import PLACED, token_of

log = logging.getLogger("dialer")


def hang_up_placed(ami: Ami) -> bool:
    """End every call that we have placed, and whoever waits on the line to be called back; not whoever is in
    danger, also where we had called them. Whether Asterisk was told of each.
    """
    try:
        channels: Sequence[Mapping[str, str]] = [c.keys for c in ami.live_channels()]
        ids = {token_of(c.get("Uniqueid", "")) for c in channels}
        in_danger = {token_of(c.get("Uniqueid", "")) for c in channels if c.get("Context") == Context.RESCUE}
        ours = {each for each in ids - in_danger if PLACED.fullmatch(each)}
        wait = {c.get("Uniqueid", "") for c in channels if c.get("Context") == Context.ON_THE_LINE}
        return all([_end(ami, channel) for channel in sorted(ours | wait)])
    except AmiError as error:
        log.warning("Asterisk: %s", error)
        return False


def _end(ami: Ami, token: str) -> bool:
    try:
        ami.request("Hangup", Channel=token, Cause=16)
        log.warning("%s: ended with the lease of this node", token)
    except NotAccepted as error:
        log.info("%s: has ended: %s", token, error)
    except AmiError as error:
        log.warning("%s: perhaps not ended: %s", token, error)
        return False
    return True
