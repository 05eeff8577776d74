"""Fixtures for the folders whose tests drive the whole system; their conftest.py imports them."""

import atexit
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from db.engine import writing
from db.models import Desk
from db.states import Outcome
from hotline.callbacks import closing, transitions
from hotline.line import order, registration
from hotline.rounds import phases
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.system import System

SERVICE, SUPERVISOR = "125", "+989130000137"


_FOLDERS = ("system", "faults")
_RUNNING: list[System] = []
"""The one of this process, once it is started; the tests of both folders have it."""


def _running() -> System:
    if not _RUNNING:
        city = {"HOTLINE_URGENT_NUMBER": SERVICE, "HOTLINE_SUPERVISOR_NUMBERS": SUPERVISOR}
        _RUNNING.append(System(empty=True, **city).__enter__())
    return _RUNNING[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Stop the system with the last of its tests: a start costs two minutes of idle time."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent.name not in _FOLDERS:
            _end()


@atexit.register
def _end() -> None:
    while _RUNNING:
        _RUNNING.pop().__exit__()


@pytest.fixture
def system() -> Iterator[System]:
    """The running system, healthy again after whatever the test before did to it; its city has an emergency
    service. Nobody is in its operators' line, and no desk takes live calls but the test's own.
    """
    running = _running()
    running.wait_healthy()
    _empty_operators_line(running)
    before = len(running.log())
    yield running
    said = running.log()[before:]
    sys.stdout.write(said)  # shown when the test fails
    assert not (told := running.numbers_in(said)), f"no citizen's number belongs in the log: {told}"


def _empty_operators_line(system: System) -> None:
    with writing(system.engine) as session:
        for desk in session.scalars(select(Desk)):
            desk.takes_live = False
        session.flush()
        line_id = phases.get_operators_line(session).id
        for place in order.list_page(session, line_id, 100, None):
            if callback := transitions.find_by_registration(session, place.id):
                closing.close(session, callback.token, Outcome.REFUSED, system.settings)
            else:
                registration.cancel(session, place.id)


@pytest.fixture
def desk(system: System) -> Iterator[Operator]:
    """An operator whose SIP phone sits in the desk's room."""
    operator = system.operator()
    with Phone(account=Account(*operator.phone_account)) as phone:
        phone.dial(f"sip:{ROOM}@{system.settings.sip}")
        until(operator.phone_connected, "the desk's phone is in its room")
        operator.phone = phone
        yield operator


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """A caller's sound: 440 Hz, found again in a recording."""
    seconds = np.arange(4 * 8000) / 8000
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * 440 * seconds), 8000, subtype="PCM_16")
    return path


_HANGS_S = 300
"""Minutes of sound, after a start that took one while all others started: the longest test has them, too."""


def mark(items: list[pytest.Item], folder: Path) -> None:
    """Give the tests of `folder` _HANGS_S seconds, unless they name a timeout of their own."""
    inside = f"{folder}{os.sep}"
    for item in items:
        if str(item.path).startswith(inside) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_HANGS_S))
