"""A person's activities, computed from the event log of their desk by a pure function.

A person does one thing at a time; the first of these that is true counts. Conversation, break, phone away,
waiting for a citizen, wrap-up. A desk that takes live calls also counts as waiting.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from db.models import BreakReason
from db.states import UNDER_WAY, CallbackState, Outcome
from hotline.callbacks import wrap_up

_A_MOMENT = timedelta(seconds=0.5)
"""A shorter activity is only the gap between two rows of one act."""


class Did(StrEnum):
    """An activity of a person."""

    TALKED = "talked"
    PAUSED = "paused"  # a break
    AWAY = "away"  # the phone was not in its room
    WAITED = "waited"  # for a citizen: asked for the next one, called one, or took live calls
    WRAP_UP = "wrap-up"


@dataclass(frozen=True)
class Point:
    """An event at the desk, or (kind "pause") the beginning or end of a break."""

    at: datetime
    kind: str
    what: str = ""
    callback_id: int | None = None
    reason: BreakReason | None = None


@dataclass(frozen=True)
class Stretch:
    """One activity from `since` to `until`; `callback_id`: the citizen's callback."""

    did: Did
    since: datetime
    until: datetime
    reason: BreakReason | None = None
    callback_id: int | None = None


@dataclass(frozen=True)
class State:
    """The state of a desk as far as its log tells. Citizens are identified by callback ids."""

    phone: bool
    live: bool  # it takes live calls
    reason: BreakReason | None = None
    talks: int | None = None
    comes: int | None = None  # a citizen is called for it, or waits for it
    owes: int | None = None  # its conversation has no outcome yet
    asked: bool = False
    asked_in_vain: bool = False  # somebody asked by hand, but no citizen was due
    after: bool = False  # a conversation has ended, and nothing has happened since
    hears: bool = False  # it listens to another desk's conversation


def list_stretches(state: State, points: Iterable[Point], since: datetime, until: datetime) -> list[Stretch]:
    """Return the activities between two moments in order of time.

    `state` is the state at the beginning. The points must be in order of time.
    """
    found: list[Stretch] = []
    for each in _whole(state, points, since, until):
        before = found[-1] if found else None
        if before and each.since - before.until < _A_MOMENT and _same(before, each):
            found[-1] = replace(before, until=each.until)
        elif each.until - each.since >= _A_MOMENT:
            found.append(each)
    return found


def _same(one: Stretch, other: Stretch) -> bool:
    return (one.did, one.reason, one.callback_id) == (other.did, other.reason, other.callback_id)


def _whole(state: State, points: Iterable[Point], since: datetime, until: datetime) -> Iterator[Stretch]:
    for point in points:
        at = min(max(point.at, since), until)
        if stretch := _stretch(state, since, at):
            yield stretch
        state, since = _after(state, point), at
    if stretch := _stretch(state, since, until):
        yield stretch


def _stretch(state: State, since: datetime, until: datetime) -> Stretch | None:
    if state.talks:
        return Stretch(Did.TALKED, since, until, callback_id=state.talks)
    if state.reason:
        return Stretch(Did.PAUSED, since, until, reason=state.reason)
    did = _alone(state)
    return Stretch(did, since, until) if did else None


def _alone(state: State) -> Did | None:
    if not state.phone:
        return Did.AWAY
    if state.hears:
        return None
    if state.comes:
        return Did.WAITED
    if state.owes:
        return Did.WRAP_UP
    if state.asked or state.asked_in_vain or state.live:
        return Did.WAITED
    return Did.WRAP_UP if state.after else None


def _after(state: State, point: Point) -> State:
    if point.kind == "pause":
        return replace(state, reason=point.reason)
    if point.kind == "callback":
        return _with_citizen(state, point.what, point.callback_id)
    return _with_desk(state, point.what)


_NO_MORE, _NOBODY, _ALONE = {"asked": False, "comes": None}, {"comes": None}, {"hears": False}
_DEEDS: dict[str, dict[str, Any]] = {
    "connected": {"phone": True},
    "disconnected": {"phone": False, "comes": None},
    "live-on": {"live": True},
    "live-off": {"live": False},
    "asks-next": {"asked": True, "owes": None},
    "nobody-due": {"asked_in_vain": True},
    **dict.fromkeys(("not-now", "serves", "left", "break"), _NO_MORE),
    **dict.fromkeys(("let-go", "freed"), _NOBODY),
    "hears": {"hears": True, "asked": False},
    **dict.fromkeys(("heard-out", "given"), _ALONE),
    wrap_up.GAVE: {"talks": None, "after": True},
}
"""The changes of the state that each event of a desk makes."""


def _with_desk(state: State, what: str) -> State:
    if what in wrap_up.TURNS:
        state = replace(state, after=False, asked_in_vain=False)
    return replace(state, **_DEEDS.get(what, {}))


_COMES = (CallbackState.CLAIMED, *UNDER_WAY, CallbackState.WAITING)
_SPEAKS = (CallbackState.TALKING, CallbackState.HELD)


def _with_citizen(state: State, what: str, callback_id: int | None) -> State:
    if what in _COMES:
        return replace(state, comes=callback_id, talks=None, after=False, asked_in_vain=False)
    if what in _SPEAKS:
        alone = State(state.phone, state.live, state.reason)
        return replace(alone, talks=callback_id)
    spoke, came = state.talks == callback_id, state.comes == callback_id
    if what in wrap_up.OVER and (spoke or came):
        left = replace(state, talks=None, comes=None, owes=callback_id)
        return replace(left, after=True) if spoke else left
    if what in set(Outcome):
        return replace(
            state,
            talks=None if spoke else state.talks,
            comes=None if came else state.comes,
            owes=None if state.owes == callback_id else state.owes,
        )
    return state
