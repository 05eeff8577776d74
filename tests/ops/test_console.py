"""Which calls Asterisk's parent ends when nobody has said in time that they may go on."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from dialer import asterisk_watchdog
from dialplan.variables import Context
from hotline import call_deadlines
from ops import console


def channel(name: str, context: str, channel_id: str, application: str = "AGI", data: str = "x") -> str:
    """Return a line of `core show channels concise`."""
    return "!".join(
        [name, context, "s", "5", "Up", application, data, "+98", "", "", "3", "7", "", channel_id]
    )


@pytest.mark.parametrize(("over_for", "ended"), [(1, 1), (call_deadlines.CONVERSATIONS_S + 1, 2)])
def test_conversation_outlives_its_dialer_for_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over_for: float, ended: int
) -> None:
    talks, rings = (f"callback-{uuid4().hex}" for _ in range(2))
    lines = [
        channel("Local/1;1", Context.ROOM, talks, "ConfBridge", "desk-3,desk-room,citizen"),
        channel(
            "PJSIP/desk-3-1", Context.FROM_DESK, "1764441234.17", "ConfBridge", "desk-3,desk-room,desk-user"
        ),
        channel("Local/2;1", Context.CALLBACK, rings),
    ]
    asked: list[str] = []

    def ask(_console: Path, questions: Sequence[str]) -> bytes:
        asked.extend(questions)
        return "\n".join(lines).encode()

    monkeypatch.setattr(console, "_ask", ask)
    asterisk_watchdog.write(tmp_path, call_deadlines.read_clock() - over_for)
    console.end_calls(tmp_path / "run" / "asterisk.ctl")
    both = ("Local/1;1", "Local/2;1")
    assert asked[1:] == [f"channel request hangup {name}" for name in both[-ended:]]


def test_apology_that_the_dialer_began_is_heard_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, hears = (f"callback-{uuid4().hex}" for _ in range(2))
    lines = [
        channel("Local/1;1", Context.WAITING, waits),
        channel("Local/2;1", Context.CUT_OFF, hears, "Playback"),
        channel("Local/2;2", Context.DIAL, f"{hears};2"),
        channel("PJSIP/trunk-2", Context.CUT_OFF, "1764441234.18"),
    ]
    asked: list[str] = []

    def ask(_console: Path, questions: Sequence[str]) -> bytes:
        asked.extend(questions)
        return "\n".join(lines).encode()

    monkeypatch.setattr(console, "_ask", ask)
    monkeypatch.setattr(call_deadlines, "read_clock", lambda: 100.0)
    for since, ended in ((0.4, 1), (call_deadlines.APOLOGY_S, 4)):
        asked.clear()
        asterisk_watchdog.write(tmp_path, 100.0 - since)
        console.end_calls(tmp_path / "run" / "asterisk.ctl")
        names = sorted(line.split("!")[0] for line in lines[:ended])
        assert sorted(asked[1:]) == [f"channel request hangup {name}" for name in names]


def test_expired_grace_ends_all_calls_but_those_in_danger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_danger, other, called = (f"{kind}-{uuid4().hex}" for kind in ("left", "left", "callback"))
    lines = [
        channel("Local/1;1", Context.RESCUE, in_danger),
        channel("Local/1;2", Context.DIAL, f"{in_danger};2"),
        channel("Local/2;1", Context.HOTLINE, other),
        channel("Local/2;2", Context.DIAL, f"{other};2"),
        channel("Local/3;1", Context.WAITING, called),
        channel("PJSIP/trunk-1", Context.HOTLINE, "1764441234.17"),
        channel("PJSIP/trunk-2", Context.ON_THE_LINE, "1764441234.18"),
    ]
    asked: list[str] = []

    def ask(_console: Path, questions: Sequence[str]) -> bytes:
        asked.extend(questions)
        return "\n".join([*lines, "", "7 active channels!"]).encode()

    monkeypatch.setattr(console, "_ask", ask)
    asterisk_watchdog.write(tmp_path, call_deadlines.read_clock() - 1)
    assert console.end_calls(tmp_path / "run" / "asterisk.ctl").endswith(", 4 channels")
    ended = ("Local/2;1", "Local/2;2", "Local/3;1", "PJSIP/trunk-2")
    assert asked[1:] == [f"channel request hangup {name}" for name in ended]
