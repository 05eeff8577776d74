"""Nobody is called who is on the line with us: passed over, free of charge, and the ledger says so."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Callback, CallerNow, Heartbeat, LedgerEntry, PlacedCall, Registration
from db.states import CallbackState, Fact, Outcome, RegistrationState
from hotline import heartbeats
from hotline.callbacks import claims, closing, transitions
from hotline.callbacks import waiting_callers as waiting
from hotline.errors import Refused
from hotline.ledger.verify import verify
from hotline.line import busy_numbers, confirmation_calls, fairness
from hotline.outbound import heads_up
from hotline.rounds import phases
from ivr import callers
from ivr.caller_cache import CallerCache
from ivr.server import Server, _write_callers
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import HANG_UP, MUSIC, FakeAsterisk, Steps
from tests.kit.process import until
from tests.kit.story import Story

OWN = "+989131234567"


@pytest.fixture
def story(engine: Engine, settings: Settings) -> Story:
    return Story(engine, settings.model_copy(update={"max_attempts": 3, "retry_seconds": 0}))


def dials(engine: Engine, *numbers: str) -> None:
    """These numbers are on the line of 137, and nobody else; `ivr` lives."""
    with writing(engine) as session:
        heartbeats.beat(session, "ivr")
        busy_numbers.forget_callers(session)
        busy_numbers.record_callers(session, {f"channel-{n}": n for n in numbers}, [])


def number(story: Story, id_: int) -> str:
    with reading(story.engine) as session:
        return session.get_one(Registration, id_).number


def newest_call(engine: Engine) -> dict[str, list[int]]:
    with reading(engine) as session:
        called = select(LedgerEntry.details).where(LedgerEntry.fact == Fact.CALLED)
        details = json.loads(session.scalars(called.order_by(LedgerEntry.id.desc())).first() or "")
    return {name: details[name] for name in ("passed", "engaged") if name in details}


def proven(story: Story) -> None:
    assert verify(story.engine).problems == []


# On the line of 137


def test_busy_number_is_passed_for_free_and_is_next(
    story: Story,
) -> None:
    first, second, third = (story.registers() for _ in range(3))
    dials(story.engine, number(story, first))
    assert story.called(Outcome.REACHED) == second
    assert newest_call(story.engine) == {"passed": [first], "engaged": [first]}
    with reading(story.engine) as session:
        kept = session.get_one(Registration, first)
        assert (kept.attempts, kept.not_before, kept.state) == (0, None, RegistrationState.WAITING)
        (call,) = fairness.find_facts(session, kept).explained
        assert call.reason is fairness.Reason.ENGAGED
    dials(story.engine)
    assert story.called(Outcome.REACHED) == first
    assert newest_call(story.engine) == {"passed": []}
    assert story.called(Outcome.REACHED) == third
    proven(story)


def test_endless_incoming_call_marks_as_busy_for_three_minutes(
    story: Story,
) -> None:
    first, second = (story.registers() for _ in range(2))
    dials(story.engine, number(story, first))
    with writing(story.engine) as session:
        session.query(CallerNow).one().since = now(session) - busy_numbers.BELIEVED + make.SECOND * 30
    assert story.called(Outcome.REACHED) == second
    with writing(story.engine) as session:
        session.query(CallerNow).one().since = now(session) - busy_numbers.BELIEVED
        assert busy_numbers.is_on_the_line(session, session.get_one(Registration, first).number)
    assert story.called(Outcome.REACHED) == first
    proven(story)


def test_dead_ivr_leaves_only_waiting_callers_busy(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        place = make.a_registration(session, make.a_round(session))
        other = make.a_number()
    dials(engine, other)
    with writing(engine) as session:
        assert [busy_numbers.is_on_the_line(session, n) for n in (other, place.number)] == [True, False]
        session.get_one(Heartbeat, "ivr").at = now(session) - heartbeats.FRESH
        assert waiting.record_waiting(session, place.id, "channel-1")
        assert [busy_numbers.is_on_the_line(session, n) for n in (other, place.number)] == [False, True]
        waiting.leave(session, "channel-1")
        assert not busy_numbers.is_on_the_line(session, place.number)


def test_crowd_of_passed_busy_numbers_is_named(
    story: Story,
) -> None:
    ids = [story.registers() for _ in range(25)]
    dials(story.engine, *(number(story, id_) for id_ in ids[:24]))
    assert story.called(Outcome.REACHED) == ids[24]
    assert newest_call(story.engine) == {"passed": ids[:24], "engaged": ids[:24]}
    proven(story)


def test_callers_of_a_dead_ivr_are_not_passed(
    story: Story,
) -> None:
    first = story.registers()
    dials(story.engine, number(story, first))
    with writing(story.engine) as session:
        session.get_one(Heartbeat, "ivr").at = now(session) - heartbeats.FRESH
    assert story.called(Outcome.REACHED) == first


def test_call_to_a_busy_citizen_in_hand_is_refused(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        callback = make.a_callback(session)
    dials(engine, callback.registration.number)
    with writing(engine) as session, pytest.raises(Refused, match="engaged"):
        transitions.ask_call(session, transitions.get(session, callback.id), settings)
    dials(engine)
    with writing(engine) as session:
        asked = transitions.ask_call(session, transitions.get(session, callback.id), settings)
        assert asked.state is CallbackState.DIALING


def test_busy_number_gets_no_second_call(
    story: Story,
) -> None:
    id_, keyed = story.registers(), story.keyed_in()
    with writing(story.engine) as session:
        phases.open_round(session, phases.get(session, story.round))
        heads_up.tell(session, 5, call_beyond=0)

    def due() -> tuple[int, int]:
        with reading(story.engine) as session:
            return len(make.due_heads_up(session)), len(confirmation_calls.list_due(session, 9))

    dials(story.engine, number(story, id_), number(story, keyed))
    assert due() == (0, 0)
    dials(story.engine)
    assert due() == (1, 1)


# One number in two rounds


@pytest.mark.parametrize("state", [CallbackState.CLAIMED, CallbackState.DIALING, CallbackState.TALKING])
def test_number_in_two_live_rounds_is_called_by_one_at_a_time(story: Story, state: CallbackState) -> None:
    with writing(story.engine) as session:
        here = make.a_callback(session, state, number=OWN)
    there, next_one = story.registers(OWN), story.registers()
    assert story.called(Outcome.REACHED) == next_one
    assert newest_call(story.engine) == {"passed": [there], "engaged": [there]}
    with reading(story.engine) as session:
        assert session.get_one(Registration, there).attempts == 0
    story.ends(here.token, Outcome.REACHED)
    assert story.called(Outcome.REACHED) == there


def test_living_channel_of_a_closed_place_delays_another_round(
    story: Story,
) -> None:
    with writing(story.engine) as session:
        session.add(PlacedCall(token="hangs-up", number=OWN, at=now(session)))
    id_ = story.registers(OWN)
    with pytest.raises(AssertionError):
        story.called(None)
    with writing(story.engine) as session:
        session.get_one(PlacedCall, "hangs-up").ended_at = now(session)
    assert story.called(None) == id_


def test_simultaneous_reach_for_a_number_has_one_winner(engine: Engine, settings: Settings) -> None:
    for turn in range(10):
        with writing(engine) as session:
            both = [make.a_round(session) for _ in range(2)]
            for round_ in both:
                make.a_registration(session, round_, number=f"+98913{turn:07}")

        def call(which: int, ids: list[int] = [round_.id for round_ in both]) -> bool:  # noqa: B006
            with writing(engine) as session:
                return claims.call_ahead(session, phases.get(session, ids[which])) is not None

        assert sorted(make.at_once(2, call)) == [False, True]
        with writing(engine) as session:
            (live,) = session.scalars(select(Callback).where(Callback.state != CallbackState.CLOSED))
            closing.close(session, live.token, Outcome.REACHED, settings)


# Who is on the line is written down by `ivr`


@contextmanager
def an_ivr(settings: Settings, engine: Engine) -> Iterator[tuple[FakeAsterisk, Server]]:
    """It writes down who is on the line twenty times as often as in life, which changes nothing else."""
    often = mock.patch.object(callers, "_AT_MOST_EVERY_S", 0.05)
    with often, Server(settings, engine, CallerCache(engine, offer_age_s=0)) as server:
        stop = threading.Event()
        works = [
            threading.Thread(target=server.serve_forever, args=(0.01,)),
            threading.Thread(target=_write_callers, args=(server, stop)),
        ]
        for work in works:
            work.start()
        try:
            yield FakeAsterisk(settings), server
        finally:
            stop.set()
            server.callers._changed.set()
            server.shutdown()
            for work in works:
                work.join(10)


def on_the_line(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(CallerNow.number).order_by(CallerNow.since)))


@pytest.mark.parametrize("backend", ["sqlite"])
def test_caller_is_recorded_as_busy_during_the_call(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        token = make.a_callback(session, CallbackState.ANSWERED).token
    seen: list[list[str]] = []

    def is_written() -> None:
        until(lambda: on_the_line(engine), "the caller is written down")
        seen.append(on_the_line(engine))

    with an_ivr(settings, engine) as (asterisk, server):
        asterisk.dial(("main-menu", is_written), caller_id="09131234567")
        assert seen == [[OWN]]
        until(lambda: not on_the_line(engine), "the call is over")

        with writing(engine) as session:
            place = session.scalars(select(Registration).where(Registration.number == OWN)).one()
        asterisk.dial(
            *((MUSIC, is_written), (MUSIC, HANG_UP)),
            **{"script": "on-the-line", "argument": str(place.id), "caller_id": "09131234567"},
        )
        assert seen == [[OWN], [OWN]], "nor is who waits for an operator on the line called meanwhile"
        until(lambda: not on_the_line(engine), "the call is over")

        seen.clear()
        asterisk.dial(("main-menu", is_written), caller_id="anonymous")
        assert seen == [[""]], "nobody's number, but a channel of the trunk"
        until(lambda: not on_the_line(engine), "the call is over")

        seen.clear()
        for caller in (OWN, "anonymous"):
            call = {"script": "callback", "channel_id": token, "caller_id": caller}
            asterisk.call(Steps(), every_clip=lambda: seen.append([*server.callers._here.values()]), **call)
        assert seen and not any(seen), "a call of ours engages its own callback"


def test_starting_ivr_forgets_earlier_callers(engine: Engine, settings: Settings) -> None:
    dials(engine, OWN)
    with an_ivr(settings, engine):
        until(lambda: on_the_line(engine) == [], "nobody is on the line")
