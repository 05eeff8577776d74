"""A dialer at work in an office of two desks, with a manager interface that does what a test says."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Callback, Desk, Event
from db.states import ON_THE_PHONE, CallbackState
from dialer.ami import Ami
from dialer.loop import Dialer
from hotline.callbacks import transitions
from settings import Settings
from tests import factories as make
from tests.kit.fake_manager import PATIENCE_S, FakeManager

C = CallbackState
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
"""For what is a matter of Asterisk's; what the database decides is shown on both."""

DESK_CHANNEL = "PJSIP/desk-1-0000001f"
OTHER_DESK_CHANNEL = "PJSIP/desk-2-00000021"
LONG_AGO = timedelta(minutes=5)
NO_SOUND = 44


class Office:
    """A dialer at work in an office of two desks: somebody sits at the first, nobody at the second."""

    def __init__(self, settings: Settings, engine: Engine, manager: FakeManager) -> None:
        self.engine = engine
        self.manager = manager
        self._settings = settings
        self.ami = Ami(settings.ami, "dialer", "secret")
        self._thread = threading.Thread(target=self.ami.run)
        self._thread.start()
        with writing(engine) as session:
            self.user = make.a_user(session, make.a_desk(session))
            make.a_desk(session, connected=False).phone = "sip"  # it stays where nobody sits
        manager.channels["desk.1"] = {"Channel": DESK_CHANNEL, "Application": "ConfBridge"}
        self.restart()

    def restart(self, leads: Callable[[], bool] = lambda: True) -> None:
        """A new dialer takes the old one's place; all it knows is in the database."""
        self._dialer = Dialer(self._settings, self.engine, self.ami, leads)

    def close(self) -> None:
        self.ami.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    # --- the dialer works ---

    def until(self, condition: Callable[[], object]) -> None:
        """Let the dialer work until this is so."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, "it never came to that"
            self._dialer.step()

    def step(self) -> None:
        self._dialer.step()

    def until_heard(self) -> None:
        """Let the dialer work until it has taken in everything that was sent: the last is a phone joining."""
        assert self.ami.connected.wait(PATIENCE_S)
        self.manager.joins("desk.2", OTHER_DESK_CHANNEL)
        self.until(lambda: self.phone_connected(2))

    def until_at_rest(self) -> None:
        """Let the dialer work until it has taken in everything and has asked Asterisk anew what is true."""
        self.until_heard()
        self.manager.hangs_up("desk.2")
        self.until(lambda: not self.phone_connected(2))

    # --- what the database says ---

    def callback(self, token: str) -> Callback:
        with reading(self.engine) as session:
            callback = transitions.find_by_token(session, token)
            assert callback is not None
            return callback

    def state(self, token: str) -> CallbackState:
        return self.callback(token).state

    def phone_connected(self, desk: int = 1) -> bool:
        with reading(self.engine) as session:
            return session.get_one(Desk, desk).phone_connected

    def changes(self) -> list[str]:
        """Return the states of callbacks and registrations, in order."""
        with reading(self.engine) as session:
            return list(session.scalars(select(Event.what).where(Event.kind != "desk").order_by(Event.id)))

    # --- what the desk does ---

    def change(self, token: str, **values: Any) -> None:
        with writing(self.engine) as session:
            callback = transitions.find_by_token(session, token)
            assert callback is not None
            for name, value in values.items():
                setattr(callback, name, value)

    def claims(self, state: CallbackState = C.CLAIMED, **registered: Any) -> str:
        """The desk holds a callback in this state, placed some minutes ago if it may be on the phone."""
        with writing(self.engine) as session:
            callback = make.a_callback(session, state, self.user, **registered)
            if state in ON_THE_PHONE:
                callback.called_at = callback.placed_at = now(session) - LONG_AGO
            return callback.token

    def asks_call(self, token: str) -> None:
        with writing(self.engine) as session:
            transitions.ask_call(session, transitions.find_by_token(session, token), self._settings)

    def asks_hangup(self, token: str) -> None:
        with writing(self.engine) as session:
            transitions.ask_hangup(session, transitions.find_by_token(session, token))

    # --- a callback goes its way ---

    def call(self, to: CallbackState = C.DIALING, **registered: Any) -> str:
        """A callback that the desk has asked for and the dialer has placed, brought to this state."""
        self.until(lambda: self._dialer._asterisk.in_sync)  # else it asks Asterisk anew in the middle of it
        token = self.claims(**registered)
        self.asks_call(token)
        self.until(lambda: token in self.manager.channels)
        steps: list[tuple[CallbackState, Callable[[], None]]] = [
            (C.RINGING, lambda: self.manager.ringing(token)),
            (C.ANSWERED, lambda: self.manager.stage(token, "answered", "AGI")),
            (C.WAITING, lambda: self.manager.stage(token, "confirmed", "BridgeWait")),
            (C.TALKING, lambda: self.manager.joins(token, "PJSIP/trunk-0000002a")),
        ]
        for state, happens in steps:
            if self.state(token) is to:
                break
            happens()
            self.until(lambda state=state: self.state(token) is state)
        assert self.state(token) is to
        return token


def check_five_at_a_time(office: Office, manager: FakeManager) -> None:
    """Check that of many due calls five are placed, and another one when one of them ends."""
    office.until(lambda: len(manager.named("Originate")) >= 5)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 5

    manager.hangs_up(manager.named("Originate")[0]["ChannelId"])
    office.until(lambda: len(manager.named("Originate")) >= 6)
    office.until_at_rest()
    assert len(manager.named("Originate")) == 6
