"""Health of each trunk: its answers to OPTIONS, and the calls that it takes or refuses.

The state of the trunks is one for all nodes, and the leading dialer writes it. Each dialer records for its
own node whether any trunk answers. If one answers another node, the trunk is not gone (hotline.nodes.leases).
"""

import logging
import re
import time
from collections.abc import Callable

from asterisk.ami.event import Event
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.ami import Ami, NotAccepted
from dialplan.accounts import find_channel_trunk, get_options_account
from hotline.nodes import draining
from hotline.trunk import circuit_breaker, selection
from settings import Settings

log = logging.getLogger("dialer")

_ANSWERS = {"Reachable": True, "Unreachable": False}
_NOT_ASKED = "NonQualified"
_REGISTERED = {"Registered": True, "Unregistered": False, "Rejected": False}
_ASKED_S = 10.0
"""Interval of asking for the trunks' latencies, which Asterisk does not report by itself."""
_MOST = 1000
_ALIKE = 0.2
"""Relative change of a latency that is recorded."""


class Trunks:
    """Observer of the trunks; all state is in the database, except which live call goes by which trunk."""

    def __init__(
        self, settings: Settings, engine: Engine, ami: Ami, leads: Callable[[], bool] = lambda: True
    ) -> None:
        """`leads`: whether this dialer, of several nodes', writes the trunks' state."""
        self._leads = leads
        self._led = False
        self._node = settings.node
        self._engine = engine
        self._ami = ami
        self._names = tuple(trunk.name for trunk in settings.trunks)
        self._by_account = {get_options_account(name): name for name in self._names}
        self._registered = {f"sip:{t.user}@{t.host}": t.name for t in settings.trunks if t.registers}
        self._carries: dict[str, str] = {}
        self._refused: set[tuple[str, str]] = set()
        self._missed = True
        self._kept = False
        self._heard = 0
        self._hears: dict[str, bool | None] = {}
        """Answers of each trunk to this node's Asterisk; None: it is not asked."""
        self._next_ask = 0.0

    def of(self, token: str) -> str | None:
        """Return the trunk that rang a phone for this call, or sent the last status about it."""
        return self._carries.get(token)

    def rings(self, token: str, leg: str) -> str | None:
        """Record that the phone rings by this channel. Return its trunk; None for a phone without a trunk."""
        name = find_channel_trunk(leg)
        if name not in self._names:
            return None
        self._is_by(token, name)
        return name

    def said(self, token: str, name: str) -> None:
        """Record the trunk that sent the last status about this call."""
        if name in self._names and (token, name) not in self._refused:  # its refusal is recorded already
            self._is_by(token, name)

    def _is_by(self, token: str, name: str) -> None:
        self._carries[token] = name
        while len(self._carries) > _MOST:  # calls whose end was missed
            self._carries.pop(next(iter(self._carries)))

    def failed(self, token: str, name: str, sip: int) -> None:
        """Record that this trunk did not take the call; the next one is tried."""
        if name not in self._names:
            return
        log.warning("%s: trunk %s did not take it (%s), the next one is tried", token, name, sip or "silence")
        self._refused = {*self._refused, (token, name)} if len(self._refused) < _MOST else {(token, name)}
        with writing(self._engine) as session:
            selection.record_failure(session, name, token, sip)

    def forget(self, token: str) -> None:
        """Forget a call that is over."""
        self._carries.pop(token, None)
        self._refused = {each for each in self._refused if each[0] != token}

    # --- health ---

    def on_contact(self, event: Event) -> None:
        """Handle Asterisk's report whether a trunk answers OPTIONS."""
        name = self._by_account.get(str(event.keys.get("AOR")))
        if name:
            self._heard += 1
            self._answers(name, str(event.keys.get("ContactStatus", "")))

    def on_registry(self, event: Event) -> None:
        """Handle Asterisk's report whether a trunk has accepted our registration."""
        account = str(event.keys.get("Username", "")).partition(";")[0]
        name, yes = self._registered.get(account), _REGISTERED.get(str(event.keys.get("Status", "")))
        if name is None or yes is None or not self._leads():
            return
        with reading(self._engine) as session:
            known = selection.find_states(session, [name]).get(name)
            if known and known.registered == yes:
                return
        log.log(
            logging.INFO if yes else logging.ERROR, "trunk %s: registered: %s", name, "yes" if yes else "no"
        )
        with writing(self._engine) as session:
            selection.record_registration(session, name, yes=yes)

    def missed(self) -> None:
        """Note that recent reports may have been missed."""
        self._missed = True

    def catch_up(self, handle_events: Callable[[], object]) -> None:
        """Ask for the trunks' state now and then. `handle_events` that came meanwhile are newer.

        Raises AmiError.
        """
        leads = self._leads()
        self._missed |= leads and not self._led
        self._led = leads
        if not self._missed and time.monotonic() < self._next_ask:
            return
        self._next_ask = time.monotonic() + _ASKED_S
        if leads and not self._kept:
            with writing(self._engine) as session:
                selection.delete_others(session, self._names)
            self._kept = True
        found = {name: self._asked(name) for name in self._names}
        self._missed, heard = False, self._heard
        handle_events()
        for name, (status, latency_ms) in found.items():
            if heard == self._heard:
                self._answers(name, status)
            if leads:
                self._took(name, latency_ms if _ANSWERS.get(status) else None)

    def _asked(self, name: str) -> tuple[str, float | None]:
        try:
            contact = self._ami.value(f"PJSIP_AOR({get_options_account(name)},contact)")
            status = self._ami.value(f"PJSIP_CONTACT({contact},status)")
            took = re.match(r"\d+", self._ami.value(f"PJSIP_CONTACT({contact},rtt)"))
        except NotAccepted as error:
            log.warning("nobody knows how the trunk %s is: %s", name, error)
            return "", None
        return status, int(took[0]) / 1000 if took else None

    def _took(self, name: str, latency_ms: float | None) -> None:
        with reading(self._engine) as session:
            row = selection.find_states(session, [name]).get(name)
            before = row.latency_ms if row else None
        if latency_ms == before:
            return
        if latency_ms is not None and before is not None and abs(latency_ms - before) <= _ALIKE * before:
            return
        with writing(self._engine) as session:
            selection.record_latency(session, name, latency_ms)

    def is_cut_off(self, session: Session) -> bool:
        """Return whether this node's own way to the trunks is cut: then failures say nothing about them."""
        return draining.is_cut_off(session, self._node)

    def _answers(self, name: str, status: str) -> None:
        yes = _ANSWERS.get(status)
        if yes is not None or status == _NOT_ASKED:
            self._of_node(name, yes=yes)
        if yes is None or not self._leads():
            return
        with reading(self._engine) as session:
            found = selection.find_states(session, self._names)
            known = found[name].answers if name in found else None
            if yes == known and selection.summarize_answers(
                found, self._names
            ) == circuit_breaker.is_answering_options(session):
                return
            if not yes and self.is_cut_off(session):
                self._missed = True  # until another dialer leads or sees the same
                return
        with writing(self._engine) as session:
            selection.record_options(session, name, yes=yes)
            session.flush()
            whole = selection.summarize_answers(selection.find_states(session, self._names), self._names)
            if whole is not None and whole != circuit_breaker.is_answering_options(session):
                circuit_breaker.record_options(session, yes=whole)
        if yes != known and len(self._names) > 1 and (yes or known is not None):
            say = log.info if yes else log.warning
            say("trunk %s: %s", name, "answers" if yes else "does not answer any more, and is tried last")

    def _of_node(self, name: str, *, yes: bool | None) -> None:
        """Record for this node whether any trunk answers it.

        A trunk that has never answered any node is not missed: it may carry calls all the same.
        """
        self._hears[name] = yes
        with reading(self._engine) as session:
            found = selection.find_states(session, self._names)
            known = draining.find_trunk_answer(session, self._node)
        silent = (each for each in self._names if self._hears.get(each) is False and each in found)
        missed = [each for each in silent if found[each].answers is not None]
        answers = True if True in self._hears.values() else False if len(missed) == len(self._names) else None
        if answers is known:
            return
        with writing(self._engine) as session:
            was_cut_off = self.is_cut_off(session)
            draining.tell_trunk(session, self._node, answers=answers)
            cut_off = self.is_cut_off(session)
        if cut_off:
            log.error("node %s: no trunk answers it, but one another: its work is left to others", self._node)
        elif was_cut_off:
            log.info("node %s: it gets work again", self._node)
