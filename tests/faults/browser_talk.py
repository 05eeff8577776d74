"""A citizen in conversation with a desk whose phone is a browser's; each plays a tone, and is listened to."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select

from db.engine import reading
from db.models import Callback
from db.states import CallbackState
from tests.kit import sound
from tests.kit.browser import browsers, page_heard, page_seconds, person
from tests.kit.caller import Caller
from tests.kit.operator import Operator
from tests.kit.pages import in_state, sign_in
from tests.kit.ports import Ports
from tests.kit.system import System

CITIZEN_HZ, DESK_HZ = 440, 1000
PURE = 0.6
"""The share of half a second of sound that must be the other one's tone."""
_LOOK_S = 0.02


@dataclass
class Talk:
    """The conversation; `page` is where the desk's phone is."""

    system: System
    operator: Operator
    context: BrowserContext
    page: Page
    citizen: Caller
    callback_id: int

    def both_hear(self) -> float:
        """Wait until both hear each other, from now on; how many seconds that took."""
        began = time.monotonic()
        self.desk_hears()
        self.citizen_hears()
        return time.monotonic() - began

    def desk_hears(self) -> None:
        """Wait until the page hears the citizen, from now on."""
        begin = page_seconds(self.page)
        _hears(lambda: page_heard(self.page, since=begin), CITIZEN_HZ, "the desk hears the citizen")

    def citizen_hears(self) -> None:
        """Wait until the citizen hears the desk, from now on."""
        begin = self.citizen.recording().seconds
        _hears(lambda: self.citizen.recording().part(begin), DESK_HZ, "the citizen hears the desk")

    def state(self) -> CallbackState:
        """Return the callback's state."""
        with reading(self.system.engine) as session:
            return session.scalars(select(Callback.state).where(Callback.id == self.callback_id)).one()

    @contextmanager
    def states(self) -> Iterator[list[CallbackState]]:
        """Every state that the callback is seen in, in order."""
        seen = [self.state()]
        over = threading.Event()

        def look() -> None:
            while not over.wait(_LOOK_S):
                state = self.state()
                if seen[-1] is not state:
                    seen.append(state)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield seen
        finally:
            over.set()
            looking.join()

    def channels(self) -> list[str]:
        """The channels of the desk's phone in Asterisk."""
        named = f"PJSIP/desk-{self.operator.desk}-"
        said = self.system.asterisk_says("core show channels concise")
        return [line.split("!")[0] for line in said.splitlines() if line.startswith(named)]

    def port(self, end: str = "local") -> Ports:
        """The one port by which the page's call sends and receives its sound; "remote" is the node's.

        The page's is another one as soon as the sound changes its way.
        """
        port = int(
            self.page.evaluate(
                """async (candidate) => {
                  const stats = await window.__connections.at(-1).getStats();
                  const transport = [...stats.values()].find(({ type }) => type === 'transport');
                  const pair = stats.get(transport.selectedCandidatePairId);
                  return stats.get(pair[candidate]).port;
                }""",
                f"{end}CandidateId",
            )
        )
        return Ports(port, port)


def _hears(recording: Callable[[], sound.Recording], hz: int, what: str) -> None:
    sound.until_heard(lambda: sound.tone_level(recording(), hz) > PURE, what, 40)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The office's browser: its microphones play the desk's tone."""
    with browsers() as start:
        yield start(sound.a_tone(tmp_path_factory.mktemp("desk"), DESK_HZ))


@pytest.fixture
def talk(system: System, chromium: Browser, tmp_path: Path) -> Iterator[Talk]:
    """A new citizen in conversation with a new desk."""
    with _talking(system, chromium, tmp_path) as begun:
        yield begun


@contextmanager
def _talking(system: System, chromium: Browser, folder: Path) -> Iterator[Talk]:
    """The conversation of a new citizen with a new desk; `chromium` speaks DESK_HZ."""
    operator, number = system.operator(), system.number()
    with (
        system.only_round() as round_id,
        Caller(system, number, port=system.trunk_port, sound=sound.a_tone(folder, CITIZEN_HZ)) as citizen,
        # To send the phone's connection through a proxy a test may need another address than the page allows.
        person(chromium, locale="fa-IR", timezone_id="Asia/Tehran", bypass_csp=True) as office,
    ):
        system.register(round_id, number)
        page = office.new_page()
        page.on("dialog", lambda dialog: dialog.accept())  # «leave the page?»
        sign_in(page, system, operator.username)
        callback_id = operator.claim(round_id)
        operator.call(callback_id)
        citizen.wait_for_call()
        citizen.answer()
        citizen.at("callback-intro", "1")
        in_state(page, "callback-state", "talking")
        talk = Talk(system, operator, office, page, citizen, callback_id)
        talk.both_hear()
        yield talk
