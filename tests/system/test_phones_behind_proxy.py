"""A signed-in desk's phone comes to the real Asterisk by each sample of a proxy, while strangers try, too."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import pytest

from settings.addresses import Address
from tests.kit.process import until
from tests.kit.proxies import OURS, PROXIES
from tests.kit.system import System
from tests.kit.websocket import WebSocketSip

STRANGERS = 300
"""1,500 of them take Asterisk's every session, where no proxy asks first (tests/faults/test_doors.py)."""


@pytest.fixture(scope="module")
def city() -> Iterator[System]:
    """A system without the citizens' phones of /phone, whose WebSockets anybody may open."""
    with System(HOTLINE_BROWSER_PHONE="0") as started:
        yield started


class Strangers:
    """They come to the door one after the other, at least STRANGERS, until the phone has called.

    Each that is let in sends one OPTIONS, by which Asterisk keeps its session.
    """

    def __init__(self, door: Address) -> None:
        self.answers: list[str] = []
        self.called = Event()
        self._door = door
        self._held = ExitStack()
        self._thread = Thread(target=self._come)

    def __enter__(self) -> "Strangers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.called.set()
        self._thread.join()
        self._held.close()

    def _come(self) -> None:
        while len(self.answers) < STRANGERS or not self.called.is_set():
            try:
                wire = WebSocketSip(self._door, source="127.0.0.9", headers=[f"Origin: {OURS}"])
                self._held.enter_context(wire).request("OPTIONS", user="137", caller="desk-1")
                self.answers.append("let in")
            except ConnectionRefusedError as refused:
                self.answers.append(str(refused).split()[1])


@pytest.mark.parametrize("proxy", PROXIES)
def test_strangers_at_a_proxy_keep_no_phone_from_calling(city: System, proxy: str, tmp_path: Path) -> None:
    operator = city.operator()
    cookies = "; ".join(f"{name}={value}" for name, value in operator.http.cookies.items())
    account = operator.http.get("/desk/phone").json()
    name, password, room = (account[key] for key in ("username", "password", "extension"))
    with PROXIES[proxy](tmp_path, city.url, str(city.settings.asterisk_http)) as url, ExitStack() as closing:
        door = Address("127.0.0.1", int(url.rpartition(":")[2]))
        ours = [f"Origin: {OURS}", f"Cookie: {cookies}"]
        phone = closing.enter_context(WebSocketSip(door, headers=ours))
        until(lambda: phone.request_as(name, password, "REGISTER", name) == 200, "its password is in force")
        with Strangers(door) as strangers:
            until(lambda: len(strangers.answers) > STRANGERS // 3, "strangers are at the door", 60)
            late = closing.enter_context(WebSocketSip(door, headers=ours))
            assert late.request_as(name, password, "REGISTER", name) == 200
            assert phone.request_as(name, password, "INVITE", room) == 200
        assert len(strangers.answers) >= STRANGERS
        assert set(strangers.answers) <= {"401", "403"}
