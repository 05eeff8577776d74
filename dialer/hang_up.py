"""End of the calls that this node has placed, when its lease is over."""

import logging
from collections.abc import Collection, Mapping
from typing import NamedTuple

from dialer.ami import Ami, AmiError, NotAccepted
from hotline import call_deadlines
from hotline.call_deadlines import PLACED, find_token

log = logging.getLogger("dialer")


class Ends(NamedTuple):
    """The calls of this node after Asterisk was asked to end them."""

    ended: frozenset[str] = frozenset()
    """Tokens of the calls that Asterisk was asked to end."""
    kept: frozenset[str] | None = frozenset()
    """Tokens of the conversations that continue; None: not all other calls have ended."""
    listens: bool = False
    """Whether citizens still hear the apology."""


def hang_up_placed(ami: Ami, *, conversations: bool, apology_until: float) -> Ends:
    """End all calls that we have placed, and callers who wait on the line and will be called back.

    Callers in danger stay connected, in calls that we placed, too. With `conversations` conversations
    continue. Citizens who wait hear an apology until `apology_until`, by `call_deadlines.read_clock`.
    """
    try:
        channels = [_channel(each.keys) for each in ami.live_channels()]
        sorted_ = call_deadlines.sort(channels, conversations=conversations, apology_until=apology_until)
        sorry, ended = _ids(sorted_.apologies), _ids(sorted_.ended)
        told = all([_apologise(ami, each, apology_until) for each in sorted(sorry)])
        all_ended = all([_end(ami, each) for each in sorted(ended)])
        listens = bool(sorry) or sorted_.listens
        done = told and all_ended and not listens
        return Ends(frozenset(sorry | ended), sorted_.kept if done else None, listens)
    except AmiError as error:
        log.warning("Asterisk: %s", error)
        return Ends(kept=None)


def _ids(channels: Collection[call_deadlines.Channel]) -> set[str]:
    return {find_token(c.id) if PLACED.fullmatch(find_token(c.id)) else c.id for c in channels}


def _channel(said: Mapping[str, str]) -> call_deadlines.Channel:
    names = ("Channel", "Uniqueid", "Context", "Application", "ApplicationData")
    return call_deadlines.Channel(*(said.get(name, "") for name in names))


def _apologise(ami: Ami, token: str, until: float) -> bool:
    context, exten = call_deadlines.apology(until)
    where = {"Context": context, "Exten": exten, "Priority": 1}
    return _ask(ami, token, "Redirect", "hears an apology: the lease of this node is over", **where)


def _end(ami: Ami, token: str) -> bool:
    return _ask(ami, token, "Hangup", "ended with the lease of this node", Cause=16)


def _ask(ami: Ami, token: str, action: str, done: str, **keys: object) -> bool:
    try:
        ami.request(action, Channel=token, **keys)
        log.warning("%s: %s", token, done)
    except NotAccepted as error:
        log.info("%s: has ended: %s", token, error)
    except AmiError as error:
        log.warning("%s: perhaps not ended: %s", token, error)
        return False
    return True
