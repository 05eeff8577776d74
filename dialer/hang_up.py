"""End of the calls that this node has placed, when its lease is over."""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from dialer.ami import Ami, AmiError, NotAccepted
from hotline import calls_until
from hotline.calls_until import PLACED, token_of

log = logging.getLogger("dialer")


class Ends(NamedTuple):
    """The calls of this node after Asterisk was asked to end them."""

    ended: frozenset[str] = frozenset()
    """Tokens of the calls that Asterisk was asked to end."""
    kept: frozenset[str] | None = frozenset()
    """Tokens of the conversations that continue; None: Asterisk has not confirmed each end."""


def hang_up_placed(ami: Ami, *, conversations: bool) -> Ends:
    """End all calls that we have placed, and callers who wait on the line and will be called back.

    Callers in danger stay connected, in calls that we placed, too. With `conversations` conversations
    continue.
    """
    try:
        channels = [_channel(each.keys) for each in ami.live_channels()]
        sorted_ = calls_until.sort(channels, conversations=conversations)
        ended = {token_of(c.id) if PLACED.fullmatch(token_of(c.id)) else c.id for c in sorted_.ended}
        all_ended = all([_end(ami, each) for each in sorted(ended)])
        return Ends(frozenset(ended), sorted_.kept if all_ended else None)
    except AmiError as error:
        log.warning("Asterisk: %s", error)
        return Ends(kept=None)


def _channel(said: Mapping[str, str]) -> calls_until.Channel:
    names = ("Channel", "Uniqueid", "Context", "Application", "ApplicationData")
    return calls_until.Channel(*(said.get(name, "") for name in names))


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
