"""The API's self-check each second, which shows that it accepts and reads requests."""

import socket

from api.server import _WELL, _question
from settings import Settings
from tests.kit.served import served


def test_self_check_does_no_work_in_the_application(
    settings: Settings,
) -> None:
    heard = {}
    with served(settings):
        question = _question(settings.http)
        for asked in (question, question.replace(b"Host", b"host")):
            with socket.create_connection(settings.http, 5) as wire:
                wire.sendall(asked)
                heard[asked] = b"".join(iter(lambda wire=wire: wire.recv(4096), b""))
    own, anybodys = heard.values()
    assert own == _WELL
    assert anybodys.startswith(b"HTTP/1.1 204") and len(anybodys) > len(own), "of the application"
