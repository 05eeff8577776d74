"""The dialer: it places the requested callbacks, and follows each by its token to the end."""

import logging
import time
from collections.abc import Callable, Collection

from sqlalchemy import Engine

from db import events
from db.engine import reading, writing
from dialer import asterisk_events
from dialer.ami import Ami, AmiError
from dialer.asterisk_events import AsteriskEvents
from dialer.call_ahead import CallAhead
from dialer.callback_writer import CallbackWriter
from dialer.caps import Caps
from dialer.confirmations import Confirmations
from dialer.desk_calls import DeskCalls
from dialer.desk_passwords import DeskPasswords
from dialer.empty_desks import EmptyDesks
from dialer.hangup_causes import HangupCauses
from dialer.keys import Keys
from dialer.live import Live
from dialer.lost_nodes import LostNodes
from dialer.outbound_calls import OutboundCalls
from dialer.placing import Placing
from dialer.polling import PollIntervals
from dialer.reconcile import Reconciler
from dialer.rescue_calls import RescueCalls
from dialer.ring_timeouts import RingTimeouts
from dialer.rooms import Rooms
from dialer.silent_lines import SilentLines
from dialer.supervising import Supervising
from dialer.third_party import Guests
from dialer.tone import Tone
from dialer.trial_calls import TrialCalls
from dialer.trunk import Trunk
from dialer.trunks import Trunks
from dialer.urgent_calls import UrgentCalls
from hotline import heartbeats, watchdog
from hotline.callbacks import waiting_callers
from hotline.nodes import leases
from settings import Settings

log = logging.getLogger("dialer")

_BACKOFF_S = 1.0
_RECONCILE_S = 0.2
_WITH_OTHERS_S = 0.5
"""How far ahead a due heartbeat is sent with this turn."""
_LEAVES_S, _LOOKS = 0.02, 2
"""How long, and how often, a turn waits for a room to become free. A channel leaves its room some
milliseconds after Asterisk was asked. The next citizen should not wait for a whole turn.
"""


class Dialer:
    """Single thread that handles Asterisk's events and polls for the desks' requests.

    A turn begins with an event of Asterisk's, or as soon as anybody has changed anything (dialer.process).
    Otherwise it begins every POLL_S while there is work, and less often without (dialer.polling).

    All state is in the database. After a death, a cut connection or a database outage the dialer asks
    Asterisk for what it missed (dialer.reconcile).
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        ami: Ami,
        leads: Callable[[], bool] = lambda: True,
        newest: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`leads`: whether this dialer does the work of all nodes that belongs to no round.

        `newest`: the event log's newest id, as the thread that wakes the dialer knows it; None: query it.
        """
        self._newest = newest
        self._leads = leads
        self._settings = settings
        self._engine = engine
        self._ami = ami
        self._writer = CallbackWriter(settings, engine)
        self._caps = Caps(settings, engine)
        self._guests = Guests(settings, engine, ami, self._caps)
        self._rooms = Rooms(engine, ami, self._guests.keep_out, node=settings.node)
        endings = HangupCauses()
        self._silent_lines = SilentLines(
            ami, self._rooms.located, callers=self._callers, caller_of=endings.caller_of
        )
        self._ring_timeouts = RingTimeouts(settings, engine, ami, self._caps.on_the_phone)
        self._trunks = Trunks(settings, engine, ami, leads)
        self._trunk = Trunk(settings, engine, self._trunks)
        self._call_ahead = CallAhead(settings, engine, self._caps)
        self._confirmations = Confirmations(settings, engine, ami, self._caps)
        self._outbound_calls = OutboundCalls(settings, engine, ami, self._caps)
        self._urgent_calls = UrgentCalls(settings, engine, ami, self._caps)
        self._rescue_calls = RescueCalls(settings, engine, ami, self._caps)
        self._trial_calls = TrialCalls(settings, engine, ami, self._caps, trunk_of=self._trunks.of)
        self._desk_calls = DeskCalls(settings, engine, ami, self._caps)
        self._tone = Tone(engine, ami, settings.node)
        self._empty_desks = EmptyDesks(settings, engine, ami)
        self._desk_passwords = DeskPasswords(settings, engine, ami)
        self._live = Live(settings, engine, ami, self._caps, self._tone)
        self._keys = Keys(settings, engine, self._tone)
        self._supervising = Supervising(engine, ami, settings.node)
        system_calls = [
            *(self._confirmations, self._outbound_calls),
            *(self._desk_calls, self._guests),
            *(self._urgent_calls, self._rescue_calls, self._trial_calls),
        ]
        self._reconciler = Reconciler(
            engine,
            ami,
            writer=self._writer,
            rooms=self._rooms,
            silent_lines=self._silent_lines,
            endings=endings,
            supervising=self._supervising,
            guests=self._guests,
            others=[self._caps, *system_calls],
            node=settings.node,
        )
        self._asterisk = AsteriskEvents(
            ami,
            writer=self._writer,
            rooms=self._rooms,
            silent_lines=self._silent_lines,
            ring_timeouts=self._ring_timeouts,
            caps=self._caps,
            trunk=self._trunk,
            trunks=self._trunks,
            desk_passwords=self._desk_passwords,
            keys=self._keys,
            supervising=self._supervising,
            endings=endings,
            system_calls=system_calls,
        )
        self._placing = Placing(
            settings, engine, ami, caps=self._caps, writer=self._writer, live=self._live, endings=endings
        )
        self._lost_nodes = LostNodes(settings, engine)
        self._next_beat = 0.0
        self._worked = True
        """Asterisk answered at the last heartbeat."""
        self._next_reconcile = 0.0
        self._pace = PollIntervals(engine)
        self._seen = 0
        self._goes_on = False
        """Events arrived in the last turn after their subject had been polled."""

    def step(self) -> None:
        """Run one turn: an event if there is one within the pause, then the desks' requests."""
        try:
            known = self._asterisk.in_sync and self._ami.connected.is_set()
            goes_on, self._goes_on = self._goes_on, False
            pause = 0.0 if goes_on else self._pace.pause(self._next_beat if known else None)
            self._asterisk.handle(pause)
            news = self._asterisk.spoke or goes_on
            self._beat()
            if self._ami.connected.is_set():
                news = self._reconcile() or news
                self._work(news=self._something_changed() or news)
        except AmiError as error:
            log.warning("Asterisk: %s", error)
            self._rest()
        except leases.Fenced as fenced:
            log.warning("%s", fenced)
            self._rest()
        except Exception:
            log.exception("the dialer cannot work now")
            self._rest()

    def _rest(self) -> None:
        """Back off while Asterisk or the database does not answer, then resync."""
        watchdog.record_work()  # Asterisk or the database was slow, for up to 5 s; the dialer is not hung
        self._asterisk.in_sync = False
        time.sleep(_BACKOFF_S)

    def _reconcile(self) -> bool:
        """Reconcile with Asterisk if anything was missed. Return whether Asterisk was asked."""
        if self._asterisk.in_sync or time.monotonic() <= self._next_reconcile:
            return False
        self._next_reconcile = time.monotonic() + _RECONCILE_S
        self._asterisk.in_sync = True  # an event handled meanwhile may clear it again
        known = self._reconciler.run(self._catch_up, asterisk_events.NO_CHANNEL_S)
        self._asterisk.in_sync &= known  # a separate line: `run` handles events, which may change it
        return True

    def _work(self, *, news: bool) -> None:
        """Serve the desks' requests at once if there is news; the rest less often."""
        if news:
            self._pace.wake()
        calm = self._pace.is_calm(news=news)
        nobody = calm and self._pace.nobody
        if (news or calm) and not nobody:
            self._rescue_calls.place_asked()  # first, because somebody is in danger
            self._call_ahead.match()
            self._live.give()
            sent = self._supervising.send_all()  # first: the heard citizen may be leaving
            sent = self._guests.send_all() and sent  # first, to free rooms
            sent = self._send_to_rooms() and sent
            self._asterisk.in_sync &= sent  # a separate line, as in _reconcile
            self._placing.place_asked()
        if news or calm:
            self._desk_passwords.tell(news=news)
        if calm:
            self._calmly(nobody=nobody)

    def _send_to_rooms(self) -> bool:
        sent = self._rooms.send_all()
        for _ in range(_LOOKS):
            if not (sent and self._rooms.somebody_waits_outside and self._asterisk.handle(_LEAVES_S)):
                break
            self._goes_on = True
            sent = self._rooms.send_all()
        return sent

    def _something_changed(self) -> bool:
        """Return whether anybody has changed anything since the last turn that may concern this dialer.

        Many callers who register at once concern it only if somebody is at a desk, is called or waits.
        """
        newest = self._newest()
        if newest is None:
            newest = events.fetch_last_id(self._engine)
        seen, self._seen = self._seen, newest
        if newest == seen:
            return False
        return newest < seen or events.has_other_events(self._engine, seen) or self._pace.is_anybody_there()

    def _calmly(self, *, nobody: bool) -> None:
        """Do the work that may wait, so that «next» never waits for it.

        `nobody`: only what time itself causes.
        """
        leads = self._leads()
        self._trunks.catch_up(lambda: self._asterisk.handle(0))
        if leads:
            self._trunk.look()
        self._asterisk.in_sync &= not self._lost_nodes.take_over(leads=leads)
        later = not nobody or self._pace.is_anybody_to_call()
        if later:
            self._outbound_calls.let_go()
            self._ring_timeouts.hang_up_overdue()
        if not nobody:
            self._call_ahead.let_go()
            self._writer.end_overdue()
            self._call_ahead.keep_ready()
            self._desk_calls.place_asked()
            self._tone.sound_due()
            self._empty_desks.hang_up()
            self._silent_lines.ask_silent()
        self._place_of_no_round(leads=leads, nobody=nobody, later=later)
        self._asterisk.close_never_started()

    def _place_of_no_round(self, *, leads: bool, nobody: bool, later: bool) -> None:
        if leads and not nobody:
            self._urgent_calls.place_due()
            self._trial_calls.place_due()
        if not nobody:
            self._outbound_calls.place_due(awaited=True, leads=leads)
        if leads and later:
            self._confirmations.place_due()
        if later:
            self._outbound_calls.place_due(awaited=False, leads=leads)
        if leads:
            self._trunk.rest()

    def _callers(self) -> Collection[str]:
        """Return the channels of this node's callers who wait on the operators' line."""
        with reading(self._engine) as session:
            return waiting_callers.list_channels(session, self._settings.node)

    def _catch_up(self) -> None:
        """Handle pending events, so that the reconciler finds only ends that nobody saw."""
        self._asterisk.handle(0)
        self._asterisk.end_over(patient=False)

    def _beat(self) -> None:
        if time.monotonic() < self._next_beat - _WITH_OTHERS_S:
            return
        self._next_beat = time.monotonic() + heartbeats.BEAT_SECONDS
        works = self._ami.connected.is_set() and not self._ami.hangs()
        both = ("dialer", "asterisk") if works else ("dialer",)
        with writing(self._engine) as session:
            heartbeats.beat(session, *both)
            if not (works or self._worked):  # the second time: one that connects anew is soon back
                heartbeats.mark_hung(session, "asterisk", self._settings.node)
            self._worked = works
            if self._engine.dialect.name == "sqlite":
                leases.keep_only(session, self._settings)
