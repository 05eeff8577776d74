"""Places the calls of the queue of outgoing calls (hotline.outbound) and records their ends."""

import logging
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import OutboundCall
from dialer.ami import Ami, NotAccepted
from dialer.caller_lines import CallerLines
from dialer.caps import Caps
from dialer.system_calls import SystemCalls
from dialplan.variables import Context
from hotline.citizens import code_calls
from hotline.clock import is_quiet
from hotline.outbound import heads_up, overflow, queue, solved
from hotline.outbound.kinds import KINDS
from hotline.outbound.queue import Eligibility
from hotline.trunk import call_caps
from settings import Settings

log = logging.getLogger("dialer")

ELIGIBLE = (code_calls.CALLS, overflow.CALLS, heads_up.CALLS, solved.CALLS)
"""The due calls of each kind, in the order in which the dialer places them."""
_PREFIXES = tuple(f"{policy.prefix}-" for policy in KINDS.values())


class OutboundCalls(SystemCalls):
    """Calls of every kind of the queue: the kinds differ in their policy alone."""

    context = Context.OUTBOUND

    def __init__(self, settings: Settings, engine: Engine, ami: Ami, caps: Caps) -> None:
        super().__init__(settings, engine, ami, caps)
        self._caller_lines = CallerLines(settings)
        self._let_go: set[str] = set()

    def place_due(self, *, awaited: bool, leads: bool) -> None:
        """Place what is due of the kinds that somebody waits for, or of the others. Raises AmiError.

        `leads`: whether this is the node that does what belongs to no round.
        """
        for calls in ELIGIBLE:
            if calls.policy.is_awaited is awaited and (leads or calls.policy.takes_caller_line):
                self._place_kind(calls, leads=leads)

    def _place_kind(self, calls: Eligibility, *, leads: bool) -> None:
        policy = calls.policy
        with reading(self._engine) as session:
            due = queue.list_due(session, calls, policy.at_once)
            if not due or (not policy.at_night and is_quiet(now(session), self._settings.quiet_hours)):
                return
            if policy.takes_caller_line:
                room = int(self._caller_lines.may_take_one(session, leads=leads))
            else:
                room = policy.at_once - len(queue.list_in_progress(session, calls.kind))
        for call_id in due[: min(room, self._caps.room(policy.share))] if room > 0 else ():
            self._place(calls, call_id)

    def _place(self, calls: Eligibility, call_id: int) -> None:
        with writing(self._engine) as session:
            if not calls.may_claim(session, call_id, self._settings):
                return
            call = queue.claim(session, calls, call_id)
            if call is None or call.token is None:
                return
            permit = call_caps.claim_call(
                session, call.token, call.number or "", self._settings, calls.policy.share
            )
            if isinstance(permit, call_caps.Cap):
                self._hold_back(session, calls, call, permit)
                return
        if calls.policy.takes_caller_line:
            self._caller_lines.taken()
        self._originate(permit, extension=calls.kind)

    def _hold_back(
        self, session: Session, calls: Eligibility, call: OutboundCall, cap: call_caps.Cap
    ) -> None:
        at, wait = now(session), calls.policy.after_cap
        if cap not in (call_caps.Cap.PER_NUMBER, call_caps.Cap.NOT_ALLOWED):
            queue.postpone(call)
            self._caps.reached(cap)
        elif cap is call_caps.Cap.PER_NUMBER and wait:
            queue.postpone(call, at + wait)
        else:
            queue.end(call, at, queue.DROPPED)

    def let_go(self) -> None:
        """End the heads-up calls of a round that is over; a citizen who listens hears a kind word.

        Raises AmiError.
        """
        with reading(self._engine) as session:
            tokens = set(heads_up.list_left_behind(session))
            tokens -= call_caps.list_calls_of_other_nodes(session, tokens, self._settings.node)
        self._let_go &= tokens
        left = tokens - self._let_go
        for channel in self._ami.live_channels() if left else ():
            token = channel.keys.get("Uniqueid", "")
            if token in left:
                self._let_go.add(token)
                if channel.keys.get("Context") != Context.LET_GO:  # an earlier dialer has sent it there
                    self._end_kindly(token, listens=channel.keys.get("ChannelStateDesc") == "Up")

    def _end_kindly(self, token: str, *, listens: bool) -> None:
        try:
            if listens:
                goodbye = {"Context": str(Context.LET_GO), "Exten": "s", "Priority": 1}
                self._ami.request("Redirect", Channel=token, **goodbye)
            else:
                self._ami.request("Hangup", Channel=token, Cause=16)
            log.info("%s: let go", token)
        except NotAccepted:  # it has ended
            pass

    def owns(self, token: str) -> bool:
        """Return whether a channel's id can be the token of such a call."""
        return token.startswith(_PREFIXES)

    def script_failed(self, token: str) -> None:
        """Count the call as an attempt: a person heard an apology, and is not rung again at once."""
        with writing(self._engine) as session:
            queue.finish(session, token, apologised=True)

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        queue.finish(session, token, ours=ours)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """Return the tokens of the calls in progress, with the time of each call's claim."""
        return queue.list_in_progress(session)
