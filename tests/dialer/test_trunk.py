"""The dialer and a trunk that fails: nobody pays, calls stop, one probe at a time, and they flow again."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from db.engine import now, reading, writing
from db.models import Breaker, Event, LedgerEntry, PlacedCall, Registration
from db.states import CallbackState, Fact, Outcome, RegistrationState
from dialer.callback_writer import CallbackWriter
from dialer.outcomes import Ending
from dialplan.accounts import BROWSER_PHONES
from hotline.trunk import circuit_breaker
from tests import factories as make
from tests.dialer.failing_trunk import down, fails, hall_of_failures, head, opened, probe_due, who
from tests.dialer.hall import Hall
from tests.kit.fake_manager import FakeManager

__all__ = ["hall_of_failures"]

pytestmark = [pytest.mark.parametrize("backend", ["sqlite"]), pytest.mark.usefixtures("quick")]

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def test_three_failed_numbers_stop_calls_for_free(hall: Hall, manager: FakeManager) -> None:
    opened(hall, manager)
    hall.until_at_rest()
    called = [who(hall, call) for call in manager.named("Originate")]
    assert called[:2] == hall.line[:1] * 2
    assert sorted(set(called)) == hall.line[:3]
    with reading(hall.engine) as session:
        registrations = session.scalars(select(Registration)).all()
        assert {(r.state, r.attempts) for r in registrations} == {(R.WAITING, 0)}
        assert all(call.ours and call.ended_at for call in session.scalars(select(PlacedCall)))
        assert [e.what for e in session.scalars(select(Event).where(Event.kind == "telephone"))] == ["down"]


def test_probes_are_single_free_and_try_every_number(hall: Hall, manager: FakeManager) -> None:
    before = opened(hall, manager)
    with writing(hall.engine) as session:  # three may be called again
        for place in hall.line[:3]:
            session.get_one(Registration, place).not_before = None
    hall.wanted = 5
    turns = [hall.line[n] for n in (0, 1, 2, 3, 4, 5, 0, 0)]  # all were tried: the head is the probe
    for count, turn in enumerate(turns, start=before + 1):
        probe_due(hall)
        hall.until(lambda: len(manager.named("Originate")) == count)  # noqa: B023
        hall.until_at_rest()
        assert len(manager.named("Originate")) == count
        assert who(hall, manager.named("Originate")[-1]) == turn
        fails(hall, manager, 0)
    with reading(hall.engine) as session:
        assert {r.attempts for r in session.scalars(select(Registration))} == {0}
    assert head(hall).not_before is None


def test_ring_shows_earlier_failures_as_their_own(hall: Hall, manager: FakeManager) -> None:
    opened(hall, manager)
    probe_due(hall)
    hall.until(lambda: hall.state(manager.named("Originate")[-1]["ChannelId"]) is not C.CLOSED)
    rings = manager.named("Originate")[-1]["ChannelId"]
    assert hall.callback(rings).registration_id == hall.line[3]
    hall.wanted = 0
    manager.ringing(rings)
    hall.until(lambda: hall.state(rings) is C.RINGING)
    assert head(hall).not_before is None, "at once at its own place"
    token = hall.dials()
    assert hall.callback(token).registration_id == hall.line[0]
    manager.refuses(token, 503)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.UNREACHABLE, R.WAITING, 1)
    assert down(hall) is None


def test_ringing_probe_resumes_calls_and_tells_the_pages(
    hall: Hall, manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    before = opened(hall, manager)
    probe_due(hall)
    hall.until(lambda: len(manager.named("Originate")) == before + 1)
    hall.wanted = 2
    caplog.set_level("INFO")
    manager.ringing(manager.named("Originate")[-1]["ChannelId"])
    hall.until(lambda: len(manager.named("Originate")) >= before + 3)
    with reading(hall.engine) as session:
        told = session.scalars(select(Event.what).where(Event.kind == "telephone").order_by(Event.id)).all()
        assert (told, circuit_breaker.find_outage(session)) == (["down", "up"], None)
    said = {one.getMessage(): one.levelname for one in caplog.records}
    assert said["calls: up"] == "INFO"


def test_new_dialer_knows_that_calls_stopped(hall: Hall, manager: FakeManager) -> None:
    before = opened(hall, manager)
    hall.restart()
    hall.until_at_rest()
    assert len(manager.named("Originate")) == before
    probe_due(hall)
    hall.until(lambda: len(manager.named("Originate")) == before + 1)


def test_probe_with_an_unseen_end_is_repeated(hall: Hall, manager: FakeManager) -> None:
    before = opened(hall, manager)
    probe_due(hall)
    hall.until(lambda: len(manager.named("Originate")) == before + 1)
    token = manager.named("Originate")[-1]["ChannelId"]
    with writing(hall.engine) as session:  # long enough ago for its channel to have come into being
        at = now(session) - timedelta(minutes=1)
        session.get_one(PlacedCall, token).at = at
    hall.change(token, placed_at=at)
    del manager.channels[token]
    hall.restart()
    hall.until(lambda: hall.state(token) is C.CLOSED)
    assert hall.ended_with(token) == (O.FAILED, R.WAITING, 0)
    probe_due(hall)
    hall.until(lambda: len(manager.named("Originate")) == before + 2)


def test_number_the_carrier_cannot_call_stops_nobody(hall: Hall, manager: FakeManager) -> None:
    for _ in range(2):
        hall.dials()
        fails(hall, manager)
    second = hall.brings(C.RINGING)
    assert hall.callback(second).registration_id == hall.line[1]
    with reading(hall.engine) as session:
        assert circuit_breaker.find_outage(session) is None
    rests = head(hall).not_before
    assert rests is not None
    assert head(hall).attempts == 0


@pytest.mark.parametrize("shows", ["rings", "busy", "our ringing time is over"])
def test_call_placed_before_the_outage_is_no_proof(hall: Hall, manager: FakeManager, shows: str) -> None:
    older = hall.dials()
    before = opened(hall, manager)
    if shows == "rings":
        manager.ringing(older)
    else:
        manager.refuses(older, 486 if shows == "busy" else 180)
    hall.until_at_rest()
    assert (down(hall), len(manager.named("Originate"))) == (circuit_breaker.TRUNK, before)


def test_channels_of_others_do_not_resume_calls(hall: Hall, manager: FakeManager) -> None:
    before = opened(hall, manager)
    for stranger in ("1764127400.5", "1764127400.5;2", "callback-nobody;2", "desk-2-nobody;2", ""):
        for status in ("RINGING", "PROGRESS", "ANSWER"):
            manager.event("DialState", DialStatus=status, Uniqueid=stranger)
        manager.event("UserEvent", Uniqueid=stranger, UserEvent="HotlineSaid", Sip="486")
        manager.event("Hangup", Channel="Local/x@dial-00000009;1", Uniqueid=stranger.removesuffix(";2"))
    hall.until_at_rest()
    assert (down(hall), len(manager.named("Originate"))) == (circuit_breaker.TRUNK, before)


@pytest.mark.parametrize("rings", [True, False])
def test_probe_to_a_browser_phone_proves_no_trunk(hall: Hall, manager: FakeManager, rings: bool) -> None:
    hall._settings = hall._settings.model_copy(update={"browser_phone": True})
    hall.restart()
    before = opened(hall, manager)
    with writing(hall.engine) as session:
        session.get_one(Registration, hall.line[0]).number = BROWSER_PHONES["phone-1"]
        session.get_one(Registration, hall.line[0]).not_before = None
    probe_due(hall)
    hall.until(lambda: len(manager.named("Originate")) == before + 1)
    token = manager.named("Originate")[-1]["ChannelId"]
    if rings:
        manager.ringing(token)
        hall.until(lambda: hall.state(token) is C.RINGING)
    else:
        hall.wanted = 0
        manager.refuses(token, 480)
        hall.until(lambda: hall.state(token) is C.CLOSED)
    assert down(hall) == circuit_breaker.TRUNK


def test_disallowed_number_waits_and_stops_nobody(hall: Hall, manager: FakeManager) -> None:
    with writing(hall.engine) as session:
        session.get_one(Registration, hall.line[0]).number = "+4930123456"
    token = hall.dials()
    assert hall.callback(token).registration_id == hall.line[1]
    until = head(hall).not_before
    assert until is not None
    with reading(hall.engine) as session:
        assert until > now(session) + 5 * make.SECOND


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_ending_that_failed_half_way_counts_once(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    token, away = hall.dials(), 2
    written = CallbackWriter.ended

    def ended(writer: CallbackWriter, which: str, ending: Ending) -> None:
        nonlocal away
        if committed:
            written(writer, which, ending)
        away -= 1
        if away >= 0:
            raise OperationalError("COMMIT", {}, Exception("the database is away"))
        if not committed:
            written(writer, which, ending)

    monkeypatch.setattr(CallbackWriter, "ended", ended)
    manager.refuses(token, 503)
    hall.until(lambda: away < 0)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    with reading(hall.engine) as session:
        assert session.get_one(Breaker, circuit_breaker.TRUNK).failures == 1
        facts = select(LedgerEntry).where(LedgerEntry.fact == Fact.OUTCOME)
        assert len(session.scalars(facts).all()) == 1
    assert head(hall).attempts == 0
