"""The rules of the line on real phones: one rings for one round, and rounds begin early."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from db.engine import now, reading, writing
from db.models import Callback, CallerNow, LedgerEntry, OutboundCall, Registration, Round
from db.states import HOLDS_PLACE, CallbackState, Fact, RegistrationState
from hotline.ledger.verify import verify
from hotline.outbound import heads_up
from hotline.rounds import phases, planning
from tests.kit.crowd import Behaviour, Call, Crowd
from tests.kit.official import Official, Script
from tests.kit.process import until
from tests.kit.registrant import Line, mark
from tests.kit.system import System

ANSWERS = Behaviour()
LISTENS = Behaviour(presses_after=None)
RINGS = Behaviour(rings=None)
KIND_WORD = "callback-let-go"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """A system whose phones may ring for longer than a test lasts."""
    with System(HOTLINE_RING_SECONDS="60") as system:
        yield system


@contextmanager
def _crowd(system: System, by_number: Mapping[str, Behaviour]) -> Iterator[Crowd]:
    """Phones that hear the kind word."""
    known = {mark(system.settings.prompts_dir / "fa" / f"{KIND_WORD}.alaw"): KIND_WORD}
    with Crowd(system.trunk_port, lambda number, _: by_number.get(number, ANSWERS), known) as crowd:
        yield crowd


def _ring(crowd: Crowd, number: str) -> Call:
    """Wait for a call to this number."""
    until(lambda: crowd.calls(number), f"{number} is called", 30)
    return crowd.calls(number)[-1]


def _places(system: System, *round_ids: int) -> list[Registration]:
    return [place for round_id in round_ids for place in system.registrations(round_id)]


def _passed(system: System, round_id: int) -> dict[int, tuple[list[int], list[int]]]:
    """Return by place, from the ledger, whom its call passed, and who of them was busy."""
    called = select(LedgerEntry).where(LedgerEntry.fact == Fact.CALLED, LedgerEntry.round_id == round_id)
    with reading(system.engine) as session:
        details = {e.registration_id: json.loads(e.details) for e in session.scalars(called)}
    return {who or 0: (told["passed"], told.get("engaged", [])) for who, told in details.items()}


def _is_on_137(system: System, number: str) -> bool:
    with reading(system.engine) as session:
        return session.scalar(select(CallerNow.number)) == "+98" + number[1:]


def _is_proven(system: System) -> None:
    assert verify(system.engine).problems == []


def test_number_in_two_live_rounds_rings_for_one(
    system: System,
) -> None:
    both, *others = (system.number() for _ in range(3))
    with ExitStack() as stack:
        crowd = stack.enter_context(_crowd(system, {}))
        round_ids = [stack.enter_context(system.only_round()), stack.enter_context(system.another_round())]
        officials = []
        for round_id, other in zip(round_ids, others, strict=True):
            system.register(round_id, both, other)
            officials.append(stack.enter_context(Official(system, crowd, lambda _: Script(2.0))))
        for official, round_id in zip(officials, round_ids, strict=True):
            official.serve(round_id)
        talks = len(round_ids) * 2
        until(lambda: sum(len(each.talks) for each in officials) == talks, "all have spoken", 60)
        for official in officials:
            official.leave()

        calls = crowd.calls(both)
        assert [len(crowd.calls(number)) for number in (both, *others)] == [2, 1, 1]
        assert all(one.ended_at and one.ended_at <= other.invited_at for one, other in pairwise(calls))
        assert {place.attempts for place in _places(system, *round_ids)} <= {0, 1}
        passed = {who: told for round_id in round_ids for who, told in _passed(system, round_id).items()}
        named = [told for told in passed.values() if told != ([], [])]
        (head,) = {who for passed_over, _ in named for who in passed_over}
        assert named == [([head], [head])], "one of the rounds passed its head, on the line for the other"
        assert [troubles for each in officials for troubles in each.troubles] == []
        _is_proven(system)


def test_head_on_the_phone_with_137_is_passed_for_free(
    system: System,
) -> None:
    head, second = system.number(), system.number()
    with (
        system.only_round() as round_id,
        _crowd(system, {}) as crowd,
        Official(system, crowd, lambda _: Script(60.0)) as official,
    ):
        system.register(round_id, head, second)
        with Line(system, head) as line:
            until(lambda: line.look() or _is_on_137(system, head), "the head is on the line of 137")
            official.serve(round_id)
            _ring(crowd, second)
            first, next_ = system.registrations(round_id)
            assert (first.state, first.attempts, first.not_before) == (RegistrationState.WAITING, 0, None)
            assert _passed(system, round_id) == {next_.id: ([first.id], [first.id])}
            assert crowd.calls(head) == []
        until(lambda: official.talks, "the second speaks")
        system.talks_for(official.talks[0].callback, 240)
        _ring(crowd, head)
        assert _passed(system, round_id)[first.id] == ([], [])
        _is_proven(system)


def test_round_opened_early_calls_the_next_ahead(
    system: System,
) -> None:
    line = [system.number() for _ in range(3)]
    with (
        system.only_round() as round_id,
        _crowd(system, {}) as crowd,
        Official(system, crowd, lambda _: Script(60.0)) as official,
    ):
        system.register(round_id, *line)
        with writing(system.engine) as session:
            round_ = session.get_one(Round, round_id)
            round_.starts_at = now(session) + timedelta(minutes=10)
            planning.open_now(session, round_, who="manager")
        official.serve(round_id)
        until(lambda: official.talks, "the first speaks", 30)
        assert official.talks[0].number == line[0]
        system.talks_for(official.talks[0].callback, 240)
        _ring(crowd, line[1])
        assert len(official.talks) == 1, "while the first still speaks"
        assert crowd.calls(line[2]) == []


def test_heads_up_calls_do_not_pass_the_head_over(
    system: System,
) -> None:
    line = [system.number() for _ in range(system.settings.call_ahead_most + 2)]
    head, near_ones = line[0], line[system.settings.call_ahead_most :]
    with (
        system.only_round() as round_id,
        _crowd(system, dict.fromkeys(near_ones, LISTENS)) as crowd,
        Official(system, crowd, lambda _: Script(60.0)) as official,
    ):
        system.register(round_id, *line)
        with writing(system.engine) as session:
            phases.open_round(session, phases.get(session, round_id))
        _are_told(system)
        for number in near_ones:
            _ring(crowd, number)
        official.serve(round_id)
        until(lambda: official.talks, "the first speaks", 30)

        assert official.talks[0].number == head
        assert next(iter(_passed(system, round_id).values())) == ([], []), "the first who was called"
        assert len(crowd.calls(head)) == 1


def _are_told(system: System) -> None:
    """Tell near citizens as the scheduler does, by a call where that is set."""
    with writing(system.engine) as session:
        heads_up.tell(session, system.settings.turn_near_places, call_beyond=system.settings.call_ahead_most)


def test_cancelled_round_ends_all_calls_but_a_conversation(
    system: System,
) -> None:
    talks, waits, by_hand, *others = line = [system.number() for _ in range(6)]
    listens, rings = others[-2:]
    how = {by_hand: RINGS, listens: LISTENS, rings: RINGS}
    with (
        system.only_round() as round_id,
        _crowd(system, how) as crowd,
        Official(system, crowd, lambda _: Script(60.0)) as official,
        Official(system, crowd, lambda _: Script(60.0)) as operator,
    ):
        system.register(round_id, *line)
        official.serve(round_id)
        until(lambda: official.talks, "one speaks", 30)
        system.talks_for(official.talks[0].callback, 240)
        until(lambda: _ring(crowd, waits).pressed_at, "one waits", 30)
        until(operator.phone_there, "the operator's phone is there")
        operator.desk.call(operator.desk.claim(round_id))
        _ring(crowd, by_hand)
        _are_told(system)
        until(lambda: _ring(crowd, listens).answered_at, "one hears that the turn is near")
        _ring(crowd, rings)
        assert [len(crowd.calls(number)) for number in line] == [1, 1, 1, 0, 1, 1]

        with writing(system.engine) as session:
            planning.cancel(session, session.get_one(Round, round_id), who="manager", reason="بیماری")
        until(lambda: len(crowd.live()) == 1, "all others end", 40)

        (still,) = crowd.live()
        assert still.number == talks
        heard = {call.number: call.heard for call in crowd.calls()}
        assert heard == {talks: [], waits: [KIND_WORD], by_hand: [], listens: [KIND_WORD], rings: []}
        assert {call.ended_by for call in crowd.calls() if call is not still} == {"hotline"}
        until(lambda: not _under_way(system, round_id), "their places are as they were")
        places = _places(system, round_id)[1:]
        assert {(place.attempts, place.state in HOLDS_PLACE) for place in places} == {(0, True)}
        crowd.hang_up(talks)
        _is_proven(system)


def _under_way(system: System, round_id: int) -> int:
    """Calls of the round that go on, but a conversation."""
    with reading(system.engine) as session:
        over = (CallbackState.TALKING, CallbackState.CLOSED)
        ours = select(Callback.id).where(Callback.round_id == round_id, Callback.state.not_in(over))
        heads_up_calls = select(OutboundCall.token).where(OutboundCall.round_id == round_id)
        return len([*session.scalars(ours), *filter(None, session.scalars(heads_up_calls))])
