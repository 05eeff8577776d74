"""Calls to third persons whom desks ask for; one who presses 1 is moved into the desk's room."""

import logging
import math
import time
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from db.states import GuestEnd, GuestState, Outcome
from dialer.ami import Ami, AmiError
from dialer.caps import Caps
from dialer.outcomes import Ending, is_own_fault, map_sip_status
from dialer.system_calls import SystemCalls
from dialplan.variables import CAPPED_CAUSE, Context, Stage
from hotline.call_deadlines import find_token
from hotline.callbacks import third_party
from hotline.trunk import call_caps
from settings import Settings

log = logging.getLogger("dialer")

_AGAIN_S = 1.0
"""How long Asterisk has for a redirect or a hang-up before the dialer repeats it."""

_WITH_MUSIC = "music"

_NETWORK = {
    Outcome.NO_ANSWER: GuestEnd.NO_ANSWER,
    Outcome.BUSY: GuestEnd.BUSY,
    Outcome.REJECTED: GuestEnd.REJECTED,
    Outcome.UNREACHABLE: GuestEnd.UNREACHABLE,
}

_ENDS = {
    Stage.NOT_CONFIRMED: GuestEnd.NOT_CONFIRMED,
    Stage.HELD: GuestEnd.CONVERSATION,
    Stage.FAILED: GuestEnd.FAILED,
}


class Guests(SystemCalls):
    """Guest calls: Asterisk knows where their channels are (`_seen`), the database where they belong."""

    context = Context.GUEST

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps) -> None:
        super().__init__(settings, engine, ami, caps)
        self._seen: dict[str, str] = {}
        self._of: dict[str, str] = {}
        self._asked: dict[tuple[str, str], tuple[float, bool]] = {}
        """Time of the request, and whether Asterisk accepted it."""

    def send_all(self) -> bool:
        """Place calls, move guests into rooms and hang up.

        Return False if Asterisk refused, to ask its state.
        """
        with reading(self._engine) as session:
            under_way = third_party.list_under_way(session, self._settings.node)
        self._of = {one.token: one.callback_token for one in under_way}
        return all([self._send(one) for one in under_way])

    def _send(self, one: third_party.Whereabouts) -> bool:
        if one.state is GuestState.ASKED:
            self._place(one.token)
            return True
        if one.over:
            return self._ask(one.token, "Hangup", Cause=16)
        if self._seen.get(one.token) != _WITH_MUSIC:
            return True
        where = {"Context": str(Context.GUEST_ROOM), "Exten": str(one.desk_id), "Priority": 1}
        sent = self._ask(one.token, "Redirect", **where)
        if sent:  # they may be in the room from now on, so no other citizen is let in
            self._seen[one.token] = f"desk-{one.desk_id}"
        return sent

    def _place(self, token: str) -> None:
        with writing(self._engine) as session:
            call = third_party.take_up(session, token, self._settings)
        if isinstance(call, call_caps.Cap):
            self._caps.reached(call)
        if isinstance(call, call_caps.CallPermit):
            self._originate(call)

    def keep_out(self, room: str, callback_token: str) -> bool:
        """Return whether a guest of another citizen's conversation may be in this room."""
        return any(
            where == room and self._of.get(token) != callback_token for token, where in self._seen.items()
        )

    def rings(self, token: str) -> None:
        """Record that the telephone rings."""
        self._came(token, GuestState.RINGING)

    def came(self, token: str, stage: str) -> None:
        """Record the stage that the dialplan reports."""
        if stage == Stage.ANSWERED:
            self._came(token, GuestState.ANSWERED)
        elif stage == Stage.CONFIRMED:
            self._seen[token] = _WITH_MUSIC
        elif stage in _ENDS:
            with writing(self._engine) as session:
                third_party.record_end_reason(session, token, _ENDS[Stage(stage)])

    def script_failed(self, token: str) -> None:
        """Do nothing: the guest heard an apology, and `came` has recorded the cause."""

    def joined(self, token: str, room: str) -> None:
        """Record that the guest is in the room."""
        self._seen[token] = room
        self._came(token, GuestState.TALKING)

    def _came(self, token: str, to: GuestState) -> None:
        with writing(self._engine) as session:
            third_party.record_state(session, token, to)

    def adopt(self, channels: Mapping[str, Mapping[str, str]], ringing: Collection[str | None]) -> None:
        """Adopt the guest calls among Asterisk's channels, and hang up a call that is over."""
        with reading(self._engine) as session:
            known = {one.token: one for one in third_party.list_under_way(session, self._settings.node)}
        self._of = {token: one.callback_token for token, one in known.items()}
        for token in self._seen.keys() - set(channels):
            self._forget(token)
        for token, channel in channels.items():
            if not third_party.is_token(token) or find_token(token) != token:
                continue  # the other half of a call goes the way of the first
            if token not in known:
                self._ask(token, "Hangup", Cause=16)
            elif token in ringing or channel.get("ChannelStateDesc") == "Ringing":
                self.rings(token)
            else:
                self._adopt(token, channel)

    def _adopt(self, token: str, channel: Mapping[str, str]) -> None:
        application = channel.get("Application", "")
        if application == "ConfBridge":
            self.joined(token, f"desk-{channel.get('Exten', '')}")
        elif channel.get("Context") == Context.GUEST and application:
            self._came(token, GuestState.ANSWERED)
            if application == "BridgeWait":
                self._seen[token] = _WITH_MUSIC

    def over(self, token: str, ending: Ending) -> None:
        """Record this ending of the channel."""
        self._forget(token)
        with writing(self._engine) as session:
            guest = third_party.find_by_token(session, token)
            rang = guest is not None and guest.state is GuestState.RINGING
            third_party.record_end(session, token, _heard(ending, rang=rang))
        log.info("%s: ended, %s", token, ending)

    def _forget(self, token: str) -> None:
        self._seen.pop(token, None)
        self._asked = {key: asked for key, asked in self._asked.items() if key[0] != token}

    def owns(self, token: str) -> bool:
        """Return whether a channel's id has the form of a guest call's token."""
        return third_party.is_token(token)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        third_party.record_end(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """Return the tokens of calls on their way, and when each was placed."""
        return third_party.list_in_progress(session)

    def _ask(self, token: str, action: str, **keys: object) -> bool:
        key, at = (token, action), time.monotonic()
        asked_at, taken = self._asked.get(key, (-math.inf, False))
        if at < asked_at + _AGAIN_S:
            return taken
        self._asked[key] = at, False
        try:
            self._ami.request(action, Channel=token, **keys)
        except AmiError as error:
            log.info("%s: no %s: %s", token, action, error)
            return False
        self._asked[key] = at, True
        return True


def _heard(ending: Ending, *, rang: bool) -> GuestEnd:
    """Return why the guest did not come, from the network's answer."""
    if ending.cause == CAPPED_CAUSE and ending.sip is None:
        return GuestEnd.CAPPED
    if ending.sip is None or is_own_fault(ending):
        return GuestEnd.FAILED
    return _NETWORK.get(map_sip_status(ending.sip, rang=rang), GuestEnd.FAILED)
