"""Keys at any speed: each answers its own question, or the caller is asked again; never anything else."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Confirmation, OfficialKind, Registration, Request, Round
from db.states import HOLDS_PLACE, Phase
from hotline import numbers
from tests import factories as make
from tests.kit.fake_asterisk import FakeAsterisk, Heard
from tests.kit.typist import Taken, type_keys

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])  # keys know no database

ANNOUNCED = {
    *("round-when", "registered", "ticket-again"),
    *("ahead-none", "ahead-some", "place", "expectation", "will-call", "active-registration"),
    *("status-waiting", "round-at", "own-places", "number-will-be-confirmed", "round-full"),
    *(
        "cancelled-now",
        "not-cancelled",
        "operator-busy",
        "no-round-open",
        "already-registered",
        "ticket-is",
        "goodbye",
    ),
    *("operator-registered", "message-kept", "report-recorded", "report-recorded-again", "beep"),
    *("report-speak", "message-speak", "cancel-call-soon", "change-number-asked"),
    *("change-call-soon", "goodbye-how", "carried-over", "too-many-today", "full-meanwhile"),
}
"""Prompts that ask nothing."""


@dataclass(frozen=True)
class Result:
    """The result of a call without the numbers that are drawn by lot."""

    places: tuple[tuple[int, int | None, bool], ...]
    """Each of the caller's: the round, the subject, whether it is held still."""
    others: tuple[tuple[int, str], ...]
    """The round and the number of each place that the caller asked for in another's name."""
    reports: tuple[tuple[int, int | None], ...]
    """The category and the district of each."""
    operator: bool
    """Whether they are in the operators' line, to which a 0 leads from anywhere."""
    spoke: bool = field(compare=False)
    """Whether anything was recorded: no key counts meanwhile, also none that would have deleted it later."""

    def asks_for_no_more_than(self, slow: "Result") -> bool:
        """Whether all of it was wanted, though the caller may have been asked again before the rest.

        What they have spoken by then is a report, without the rest. While they speak, slowly no key counts:
        that call may have ended before its 0.
        """
        wanted = {round_id: (subject, held) for round_id, subject, held in slow.places}
        return (
            all(
                round_id in wanted
                and subject in (None, wanted[round_id][0])
                and (held or not wanted[round_id][1])
                for round_id, subject, held in self.places
            )
            and set(self.others) <= set(slow.others)
            and (slow.operator or slow.spoke or not self.operator)
            and all(
                (category, district) in slow.reports or district is None or (slow.spoke and not slow.reports)
                for category, district in self.reports
            )
        )


@pytest.fixture(params=["one round", "two kinds", "full", "registered", "nothing"])
def scene(request: pytest.FixtureRequest, engine: Engine) -> str:
    with writing(engine) as session:
        if request.param != "nothing":
            first = make.a_round(session, Phase.OPEN)
        if request.param == "full":
            first.capacity = 1
            make.some_registrations(session, first, 1)
        if request.param in ("two kinds", "full"):
            make.a_round(session, Phase.OPEN).official.kind = OfficialKind.DEPUTY
    return str(request.param)


def somebody(engine: Engine, scene: str) -> str:
    """The number of a new caller; E.164."""
    number = make.a_number()
    if scene == "registered":
        with writing(engine) as session:
            round_ = session.scalars(select(Round).where(Round.is_operators_line.is_(False))).one()
            make.a_registration(session, round_, number=number)
    return number


def come_to(engine: Engine, number: str, heard: Heard) -> Result:
    """A place in the operators' line counts unless silence gave it: then nobody has asked for it."""
    by_silence = "operator-busy" in heard.prompts
    with reading(engine) as session:
        own = session.scalars(select(Registration).filter_by(number=number).order_by(Registration.id)).all()
        asked = session.scalars(select(Confirmation).filter_by(asked_by=number)).all()
        reports = session.scalars(select(Request).filter_by(number=number).order_by(Request.id)).all()
        others = [a.registration for a in asked if a.registration and a.registration.number != number]
        helped = {r.id for r in own if session.get_one(Round, r.round_id).is_operators_line}
        return Result(
            tuple((r.round_id, r.subject, r.state in HOLDS_PLACE) for r in own if r.id not in helped),
            tuple((r.round_id, r.number) for r in others),
            tuple((r.category, r.district) for r in reports),
            bool(helped) and not by_silence,
            bool(heard.recorded),
        )


def timed(keys: str, gaps: list[float]) -> list[tuple[float, str]]:
    """Each key after its gap."""
    at, pressed = 0.0, []
    for key, gap in zip(keys, gaps, strict=True):
        at += gap
        pressed.append((at, key))
    return pressed


KNOWN_AFTER_S = 0.3
"""After an announcement nobody knows sooner that a question has begun."""


def answers(taken: Taken) -> bool:
    """Whether it is an answer by what the caller could know when they pressed it."""
    is_known = taken.before not in ANNOUNCED or taken.said_for >= KNOWN_AFTER_S
    return taken.prompt not in ("", *ANNOUNCED) and is_known


def call(asterisk: FakeAsterisk, engine: Engine, scene: str, **how: Any) -> tuple[Heard, list[Taken], Result]:
    number = somebody(engine, scene)
    heard, channel = type_keys(asterisk, caller_id=numbers.format_national(number), **how)
    return heard, channel.taken, come_to(engine, number, heard)


WORDS = ["1", "1", "1", "2", "3", "4", "5", "7", "9", "0", "#", "*", "09137654321#", "12#", "7#", "34567#"]
KEYS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(lambda words: "".join(words)[:24])
FAST = st.floats(0.05, 1.45)
"""A longer pause ends an entry that could be complete, so that what follows is for the next question."""
CLIPS = st.sampled_from([0.3, 1.0, 2.3, 4.0])
unhurried = hypothesis(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@unhurried
@example(keys="1131", pauses=[0.9] * 4, clip=2.3)
@example(keys="1131", pauses=[0.3] * 4, clip=4.0)
@example(keys="119#", pauses=[1.9] * 4, clip=0.3)
@example(keys="225", pauses=[0.5] * 3, clip=2.3)
@example(keys="312#3", pauses=[1.0] * 5, clip=0.3)
@example(keys="312#1#0", pauses=[1.0] * 7, clip=0.3)
@given(keys=KEYS, pauses=st.lists(FAST, min_size=24, max_size=24), clip=CLIPS)
def test_keys_without_a_pause_equal_slow_ones_or_are_asked_again(
    asterisk: FakeAsterisk, engine: Engine, scene: str, keys: str, pauses: list[float], clip: float
):
    pressed = timed(keys, pauses[: len(keys)])

    _, _, slow = call(asterisk, engine, scene, keys=pressed, slowly=True)
    heard, _, fast = call(asterisk, engine, scene, keys=pressed, seconds=lambda _: clip)

    assert fast == slow or fast.asks_for_no_more_than(slow)
    assert "0" in keys or not fast.operator
    assert heard.finished


@unhurried
@given(
    keys=st.lists(st.sampled_from("1112459#"), min_size=1, max_size=9).map("".join),
    pauses=st.lists(st.floats(2.05, 5.9), min_size=9, max_size=9),
    clip=CLIPS.filter(lambda clip: clip > KNOWN_AFTER_S),
)
def test_paused_keys_answer_their_questions_or_none(
    asterisk: FakeAsterisk, engine: Engine, scene: str, keys: str, pauses: list[float], clip: float
):
    pressed = timed(keys, pauses[: len(keys)])

    _, taken, listened = call(asterisk, engine, scene, keys=pressed, seconds=lambda _: clip)
    answering = [(0.0, key.key) for key in taken if answers(key)]
    _, _, slow = call(asterisk, engine, scene, keys=answering, slowly=True)

    assert listened == slow or listened.asks_for_no_more_than(slow)


@pytest.mark.parametrize("pause", [0.1, 0.3, 1.1, 1.5])  # the same key within 1.0 s of an answer is one press
@pytest.mark.parametrize("clip", [0.3, 2.3, 5.0])
def test_who_types_ahead_gets_the_subject_that_they_chose(
    asterisk: FakeAsterisk, engine: Engine, pause: float, clip: float
):
    with writing(engine) as session:
        round_id = make.a_round(session, Phase.OPEN).id
    pressed = timed("114#", [pause] * 4)

    heard, _, come = call(asterisk, engine, "one round", keys=pressed, seconds=lambda _: clip)

    assert come.places == ((round_id, 4, True),)
    assert heard.finished


LATE_S = 1.5
"""After a question that was passed in silence a key that comes sooner was meant for that."""


def test_late_key_does_not_answer_the_next_question(asterisk: FakeAsterisk, engine: Engine):
    with writing(engine) as session:
        make.a_round(session, Phase.OPEN)
    wanted = {False: 0, True: 0}
    for tenths in range(300, 700, 5):
        pressed = [(0.3, "1"), (0.6, "1"), (tenths / 10, "1")]

        heard, taken, come = call(asterisk, engine, "one round", keys=pressed, seconds=lambda _: 1.0)

        key = taken[-1]
        if key.prompt == "message-offer" and key.before not in ("", *ANNOUNCED) and len(taken) == 3:
            assert bool(heard.recorded) == (key.said_for >= LATE_S), key
            wanted[bool(heard.recorded)] += 1
        assert len(come.places) == 1 and heard.finished
    assert all(wanted.values())
