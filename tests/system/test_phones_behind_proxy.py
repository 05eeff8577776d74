"""A signed-in desk's phone comes to the real Asterisk by each sample of a proxy, beside strangers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from settings.addresses import Address
from tests.kit.phone_proxies import OURS, PROXIES
from tests.kit.system import System
from tests.kit.websocket import WebSocketSip

STRANGERS = 60


@pytest.fixture(scope="module")
def city() -> Iterator[System]:
    """A system without the citizens' phones of /phone, whose WebSockets anybody may open."""
    with System(HOTLINE_BROWSER_PHONE="0") as started:
        yield started


def _is_answered(phone: WebSocketSip) -> bool:
    """Asterisk asks for the account's password."""
    return phone.request("OPTIONS", user="137", caller="desk-1") == 401


@pytest.mark.parametrize("proxy", PROXIES)
def test_phone_keeps_its_websocket_while_strangers_are_refused(
    city: System, proxy: str, tmp_path: Path
) -> None:
    operator = city.operator()
    cookies = "; ".join(f"{name}={value}" for name, value in operator.http.cookies.items())
    with (
        PROXIES[proxy](tmp_path, city.url, str(city.settings.asterisk_http)) as url,
        ExitStack() as closing,
    ):
        door = Address("127.0.0.1", int(url.rpartition(":")[2]))
        ours = [f"Origin: {OURS}", f"Cookie: {cookies}"]
        first = closing.enter_context(WebSocketSip(door, headers=ours))
        assert _is_answered(first)
        for _ in range(STRANGERS):
            with pytest.raises(ConnectionRefusedError):
                closing.enter_context(WebSocketSip(door, source="127.0.0.9", headers=[f"Origin: {OURS}"]))
        assert _is_answered(first)
        assert _is_answered(closing.enter_context(WebSocketSip(door, headers=ours)))
