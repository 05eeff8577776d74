"""The wait for an operator on the line: music, the queue, a 2 for a callback; no place is lost."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import Registration, WaitingCaller
from db.states import RegistrationState
from hotline.callbacks import waiting_callers
from hotline.callbacks.waiting_callers import Outlook
from hotline.line import registration
from hotline.rounds import phases
from ivr import server
from ivr.server import Server
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import CUT, HANG_UP, MUSIC, Deed, End, FakeAsterisk, Heard
from tests.kit.process import until

CHANNEL = "1795652838.7"
OWN = "+989131234567"
BUSY = Outlook(before_me=2, free=False, minutes=5)
NEWS = ["ahead-some", "wait-minutes", "operator-press-two"]
CALLED_BACK = ["operator-registered", "goodbye"]

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def place(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> int:
    """A place in the operators' line; two stand before it, and the pace is known."""
    monkeypatch.setattr(waiting_callers, "forecast_for", lambda *_: BUSY)
    with writing(engine) as session:
        return registration.register(
            session, round_id=phases.get_operators_line(session).id, number=OWN, tell=False
        ).registration_id


def waits(asterisk: FakeAsterisk, place: int, *steps: tuple[str, Deed], again: str = "") -> Heard:
    return asterisk.dial(*steps, script="on-the-line", argument=str(place), channel_id=CHANNEL, again=again)


def there(engine: Engine, place: int) -> bool:
    with reading(engine) as session:
        return waiting_callers.find(session, place) is not None


def test_waiting_caller_hears_place_and_minutes_each_minute(
    asterisk: FakeAsterisk, engine: Engine, place: int
):
    seen: list[bool] = []
    look: Callable[[], object] = lambda: seen.append(there(engine, place))  # noqa: E731
    heard = waits(asterisk, place, *[(MUSIC, look), (MUSIC, "")] * 3, (MUSIC, HANG_UP))

    assert heard.prompts == ["operator-stay", MUSIC, *NEWS, MUSIC, MUSIC, *NEWS, MUSIC]
    assert heard.said("ahead-some", ahead=2) and heard.said("wait-minutes", minutes=5)
    assert seen == [True] * 3
    assert not there(engine, place)


def test_unknown_pace_leaves_the_minutes_unsaid(
    asterisk: FakeAsterisk, place: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waiting_callers, "forecast_for", lambda *_: Outlook(0, free=False, minutes=None))
    heard = waits(asterisk, place, (MUSIC, ""), (MUSIC, HANG_UP))
    assert heard.prompts == ["operator-stay", MUSIC, "ahead-none", "operator-press-two", MUSIC]


def test_free_desk_leaves_the_announcement_out(
    asterisk: FakeAsterisk, place: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waiting_callers, "forecast_for", lambda *_: Outlook(0, free=True, minutes=1))
    assert waits(asterisk, place, (MUSIC, ""), (MUSIC, HANG_UP)).prompts == ["operator-stay", MUSIC, MUSIC]


@pytest.mark.parametrize("moment", ["operator-stay", MUSIC, "ahead-some", "operator-press-two"])
def test_key_2_while_waiting_keeps_the_place_for_a_callback(
    asterisk: FakeAsterisk, engine: Engine, place: int, moment: str
):
    heard = waits(asterisk, place, (moment, "2"))

    with reading(engine) as session:
        kept = session.get_one(Registration, place)
        assert kept.state is RegistrationState.WAITING
        assert waiting_callers.has_just_left(session, place)
    assert heard.prompts[-3:] == [moment, *CALLED_BACK]
    assert heard.said("operator-registered", ticket=kept.ticket)
    assert heard.finished


@pytest.mark.parametrize("how", [HANG_UP, CUT])
@pytest.mark.parametrize("moment", ["operator-stay", MUSIC, "wait-minutes"])
def test_who_hangs_up_stays_in_the_line_and_is_called_back(
    asterisk: FakeAsterisk, engine: Engine, place: int, moment: str, how: End
):
    waits(asterisk, place, (moment, how))

    until(lambda: not there(engine, place), "the caller is gone")
    with reading(engine) as session:
        assert session.get_one(Registration, place).state is RegistrationState.WAITING


@on_sqlite
def test_who_waits_too_long_is_told_so_kindly_and_called_back(
    asterisk: FakeAsterisk, engine: Engine, place: int, settings: Settings
):
    heard = waits(asterisk, place)

    assert heard.prompts.count(MUSIC) == settings.line_wait_minutes * 2
    assert heard.prompts[-3:] == ["wait-too-long", *CALLED_BACK]
    assert not there(engine, place)


@on_sqlite
def test_restarted_script_continues_the_wait_without_a_greeting(
    asterisk: FakeAsterisk, engine: Engine, place: int
):
    with writing(engine) as session:
        waiting_callers.record_waiting(session, place, CHANNEL)
        session.get_one(WaitingCaller, place).since -= 14 * make.MINUTE
    heard = waits(asterisk, place, again="fa")

    assert heard.prompts.count(MUSIC) == 2
    assert heard.prompts[0] == MUSIC
    assert heard.prompts[-3:] == ["wait-too-long", *CALLED_BACK]


@on_sqlite
def test_second_call_of_a_number_leaves_the_first_on_the_line(
    asterisk: FakeAsterisk, engine: Engine, place: int
):
    with writing(engine) as session:
        waiting_callers.record_waiting(session, place, "older")

    heard = waits(asterisk, place)

    assert heard.prompts == CALLED_BACK
    with reading(engine) as session:
        ticket = session.get_one(Registration, place).ticket
        caller = waiting_callers.find(session, place)
        assert caller and caller.channel == "older"
    assert heard.said("operator-registered", ticket=ticket)


@on_sqlite
def test_second_call_of_a_number_in_danger_is_connected_at_once(
    asterisk: FakeAsterisk, engine: Engine, place: int
):
    with writing(engine) as session:
        waiting_callers.record_waiting(session, place, "older")

    call = {"script": "on-the-line", "argument": f"{place}-7", "channel_id": CHANNEL}
    heard = asterisk.dial(**call)

    assert (heard.prompts, heard.variables["HOTLINE_RESCUE"]) == ([], "7-fa")
    assert there(engine, place)


@on_sqlite
def test_caller_who_is_replaced_hears_the_ticket(asterisk: FakeAsterisk, engine: Engine, place: int):
    """The database was away for so long that the caller was no longer believed to be there."""

    def calls_again() -> None:
        with writing(engine) as session:
            waiting_callers.leave(session, CHANNEL)
            assert waiting_callers.record_waiting(session, place, "newer")

    heard = waits(asterisk, place, (MUSIC, calls_again))

    assert heard.prompts == ["operator-stay", MUSIC, *CALLED_BACK]
    assert there(engine, place)


@on_sqlite
def test_a_place_that_is_over_is_not_waited_for(asterisk: FakeAsterisk, engine: Engine, place: int):
    with writing(engine) as session:
        registration.cancel(session, place)
    assert waits(asterisk, place).prompts == ["goodbye"]


@on_sqlite
def test_danger_unanswered_for_ten_seconds_calls_the_rescue(
    asterisk: FakeAsterisk, engine: Engine, place: int
):
    """A desk was free, and has got another, or nothing brings them together."""
    call = {"script": "on-the-line", "argument": f"{place}-7", "channel_id": CHANNEL}
    heard = asterisk.dial(**call)

    assert heard.prompts == ["operator-stay"] * 3
    assert (heard.variables["HOTLINE_RESCUE"], heard.finished) == ("7-fa", True)
    assert not there(engine, place)


@on_sqlite
@pytest.mark.parametrize("argument", ["", "999", "x", "-", "x-7", "1-x"])
def test_nobodys_place_breaks_nothing(asterisk: FakeAsterisk, argument: str):
    heard = asterisk.dial(script="on-the-line", argument=argument, channel_id=CHANNEL)
    assert (heard.prompts, heard.variables.get("HOTLINE_FINISHED")) == ([], "no")


@on_sqlite
def test_caller_without_a_heartbeat_is_removed_from_the_line(
    engine: Engine, settings: Settings, place: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server.heartbeats, "BEAT_SECONDS", 0.01)
    settings.prompts_dir.joinpath("fa").mkdir(parents=True)
    with writing(engine) as session:
        waiting_callers.record_waiting(session, place, CHANNEL)
        session.get_one(WaitingCaller, place).seen_at -= waiting_callers.STALE
    stop = threading.Event()
    with Server(settings, engine) as ours:
        thread = threading.Thread(target=server._every_beat, args=(ours, stop))
        thread.start()
        try:
            until(lambda: not there(engine, place), "the caller is forgotten")
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("caller_id", ["09139999999", "", "anonymous"])
def test_nobody_waits_for_the_place_of_another_number(
    asterisk: FakeAsterisk, engine: Engine, place: int, caller_id: str
):
    how = {"script": "on-the-line", "argument": str(place), "channel_id": CHANNEL}
    heard = asterisk.dial(**how, caller_id=caller_id)

    assert heard.prompts == []
    assert not there(engine, place)
