"""A stranger whose network lets them show any number calls 137 as a citizen who has places and a report."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from db.models import ConfirmationKind, Registration, Request
from db.states import RegistrationState, RequestState
from hotline import numbers
from hotline.line import confirmation_calls
from hotline.rounds import phases
from tests import factories as make
from tests.ivr.scripts.own_place import asked, take_up_call
from tests.kit.fake_asterisk import Deed, FakeAsterisk, Heard

pytestmark = [pytest.mark.long, pytest.mark.parametrize("backend", ["sqlite"])]

STRANGERS = "+989139990000"
CANCEL = {"main-menu": "2", "follow-up-menu": "2", "cancel-confirm": "5"}
MOVE = {"main-menu": "2", "follow-up-menu": "3", "ask-number": "09139990000#", "confirm-number": "1"}
R = RegistrationState


class Victim(NamedTuple):
    """A citizen's number, and all that stands under it."""

    number: str
    place: Registration
    report: Request


class Walk:
    """A caller who takes one way through the questions, and knows where the next way parts from it."""

    def __init__(self, choices: Sequence[int], answers: dict[str, list[str]]) -> None:
        self.taken: list[int] = []
        self.open: list[int] = []
        self.answered: set[str] = set()
        self._choices = choices
        self._answers = answers

    def at(self, moment: str) -> Deed | None:
        """Answer a question in this way's manner, and by the first key where the way goes on from there."""
        offered = self._answers.get(moment)
        if offered is None:
            return None
        self.answered.add(moment)
        step = len(self.taken)
        self.taken.append(self._choices[step] if step < len(self._choices) else 0)
        self.open.append(len(offered))
        return offered[self.taken[-1]]

    def next(self) -> list[int] | None:
        """The choices of the way after this one; None after the last."""
        for step in reversed(range(len(self.taken))):
            if self.taken[step] + 1 < self.open[step]:
                return [*self.taken[:step], self.taken[step] + 1]
        return None


def a_victim(
    engine: Engine,
    state: RegistrationState,
    *,
    at_operators: bool = False,
    report: RequestState = RequestState.REFERRED,
) -> Victim:
    with writing(engine) as session:
        round_ = phases.get_operators_line(session) if at_operators else make.a_round(session)
        place = make.a_registration(session, round_, state=state)
        reported = make.a_request(session, report, number=place.number)
        return Victim(place.number, place, reported)


def answers(victim: Victim) -> dict[str, list[str]]:
    """Every key of every question, but for what leads nowhere."""
    ticket = f"{victim.place.ticket}#"
    return {
        "main-menu": ["2", "1", "3", "0"],
        "follow-up-menu": ["2", "3", "4", "1", "9", "#"],
        "other-ticket": ["2", "3", "4", "#"],
        "cancel-confirm": ["5", "#"],
        "ask-number": ["09139990000#"],
        "confirm-number": ["1", "2"],
        "follow-up-ask": [ticket, f"{victim.report.tracking}#"],
        "request-question": ["#", "1", "2"],
        "request-satisfaction": ["1"],
        "operator-choice": ["2", "1"],
        "operator-other-number": ["1", "#"],
    }


def answer_calls(asterisk: FakeAsterisk, engine: Engine, *, owner_says: str) -> list[tuple[str, Heard]]:
    """Answer all calls that we place: the stranger agrees to everything. Return who heard what."""
    heard = []
    questions = ("confirm-call-press-one", "confirm-cancel-press-one", "confirm-move-press-one")
    while call := take_up_call(engine):
        number, token = call
        keys = {question: ["1" if number == STRANGERS else owner_says] for question in questions}
        said = asterisk.call(Walk([], keys), script="confirm", channel_id=token, caller_id="137")
        heard.append((number, said))
        with writing(engine) as session:
            confirmation_calls.record_end(session, token)
    return heard


def every_way(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState, **where: bool
) -> Iterator[Victim]:
    """Call as another citizen in each way that the menu leaves; each question of `answers` is asked."""
    way: list[int] | None = []
    unasked: set[str] | None = None
    while way is not None:
        victim = a_victim(engine, state, report=RequestState.REPLIED, **where)
        caller = Walk(way, answers(victim))
        asterisk.call(caller, caller_id=numbers.format_national(victim.number))
        yield victim
        unasked = (set(answers(victim)) if unasked is None else unasked) - caller.answered
        way = caller.next()
    assert not unasked, "no menu asks this any more, or only elsewhere"


@pytest.mark.parametrize("state", [R.WAITING, R.UNCONFIRMED, R.UNREACHED])
@pytest.mark.parametrize("owner_says", ["2", "#"])
def test_no_key_takes_a_place_away(
    asterisk: FakeAsterisk, engine: Engine, state: RegistrationState, owner_says: str
):
    ways = 0
    for victim in every_way(asterisk, engine, state):
        ways += 1
        answer_calls(asterisk, engine, owner_says=owner_says)
        with reading(engine) as session:
            place = session.get_one(Registration, victim.place.id)
            report = session.get_one(Request, victim.report.id)
        assert (place.number, place.state) == (victim.number, state)
        assert report.state in (RequestState.REPLIED, RequestState.REOPENED), "its number may still answer"
    assert ways >= 10


def test_no_key_moves_a_place_in_the_operators_line(asterisk: FakeAsterisk, engine: Engine):
    for victim in every_way(asterisk, engine, R.WAITING, at_operators=True):
        answer_calls(asterisk, engine, owner_says="2")
        with reading(engine) as session:
            place = session.get_one(Registration, victim.place.id)
        assert (place.number, place.state) == (victim.number, R.WAITING)


@pytest.mark.parametrize("caller_id", ["anonymous", "09139990000", "own"])
def test_ticket_heard_in_an_earlier_call_opens_nothing(
    asterisk: FakeAsterisk, engine: Engine, caller_id: str
):
    victim = a_victim(engine, R.WAITING)
    shown = numbers.format_national(victim.number)
    first = asterisk.dial(
        ("main-menu", "2"), ("follow-up-menu", "1"), ("follow-up-menu", "#"), caller_id=shown
    )
    assert first.said("ticket-is", ticket=victim.place.ticket)

    for wish in (CANCEL, MOVE):
        keys = {at: [key] for at, key in wish.items()} | answers(victim) | {"main-menu": ["2"]}
        asterisk.call(Walk([], keys), caller_id=shown if caller_id == "own" else caller_id)
        answer_calls(asterisk, engine, owner_says="2")

    with reading(engine) as session:
        place = session.get_one(Registration, victim.place.id)
    assert (place.number, place.state) == (victim.number, R.WAITING)


def test_owner_is_told_and_asked_on_the_present_number(asterisk: FakeAsterisk, engine: Engine):
    victim = a_victim(engine, R.WAITING)
    heard = []
    for wish in (CANCEL, MOVE):
        keys = {at: [key] for at, key in wish.items()}
        asterisk.call(Walk([], keys), caller_id=numbers.format_national(victim.number))
        heard += answer_calls(asterisk, engine, owner_says="2")

    assert [number for number, _ in heard] == [victim.number] * 2, "nobody calls the stranger"
    assert [said.prompts for _, said in heard] == [
        ["confirm-cancel-intro", "confirm-cancel-press-one", "not-cancelled", "confirm-call-goodbye"],
        ["confirm-move-intro", "confirm-move-press-one", "number-kept", "confirm-call-goodbye"],
    ]
    assert heard[1][1].said(
        "confirm-move-intro", office="office-mayor", number=numbers.format_national(STRANGERS)
    )


def test_owner_who_agrees_twice_moves_the_place(asterisk: FakeAsterisk, engine: Engine):
    victim = a_victim(engine, R.WAITING)
    keys = {at: [key] for at, key in MOVE.items()}
    asterisk.call(Walk([], keys), caller_id=numbers.format_national(victim.number))

    heard = answer_calls(asterisk, engine, owner_says="1")

    assert [number for number, _ in heard] == [victim.number, STRANGERS]
    assert heard[0][1].said("change-number-asked", number=numbers.format_national(STRANGERS))
    assert heard[1][1].said("confirm-number-done", ticket=victim.place.ticket)


def test_stranger_cannot_have_a_number_called_all_day(asterisk: FakeAsterisk, engine: Engine):
    victim = a_victim(engine, R.WAITING)
    for wish in (CANCEL, MOVE) * 6:
        asterisk.call(
            Walk([], {at: [key] for at, key in wish.items()}),
            caller_id=numbers.format_national(victim.number),
        )

    assert [call.kind for call in asked(engine)] == [ConfirmationKind.NUMBER], "the last wish alone is asked"


def test_place_made_in_the_call_moves_by_the_new_number_alone(asterisk: FakeAsterisk, engine: Engine):
    """It is taken from nobody, and its caller may be at a switchboard, where we cannot call back."""
    heard = asterisk.dial(
        *(("main-menu", "0"), ("operator-choice", "2"), ("operator-other-number", "1")),
        *(("ask-number", "09139990000#"), ("confirm-number", "1")),
    )

    assert heard.prompts[-2:] == ["change-number-asked", "goodbye"]
    assert [call.number for call in asked(engine) if not call.decided_at] == [STRANGERS]
