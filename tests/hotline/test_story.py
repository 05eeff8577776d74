"""The first public round and the one after it, from the mayor's plan to the last citizen.

Citizens use the telephone: a fake Asterisk speaks AGI to our real server. The desks use the API, and the
scheduler's own code does the scheduler's job. Time passes by ageing every stored row. The expected events are
written a second time, from the city's rules alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, bindparam, func, select, update

from api.app import create
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import (
    Callback,
    Carry,
    Confirmation,
    OutboxKind,
    OutboxMessage,
    Registration,
    Round,
    UtcDateTime,
)
from db.states import CallbackState, Outcome, Phase, RegistrationState
from hotline import numbers
from hotline.callbacks import closing, placing, transitions
from hotline.line import confirmation_calls, order, registration
from hotline.people import sign_ins
from hotline.rounds import phases, planning
from scheduler.jobs import carry_over
from settings import Settings
from tests import factories as make
from tests.kit.fake_asterisk import FakeAsterisk, Heard, answering

V1 = "/api/v1"
TICK = 6
"""Minutes that a desk needs for one citizen, whatever comes of it."""
RETRY = 10
ATTEMPTS = 2
MANY, REACHED_FIRST = 40, 18
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YES = [("main-menu", "1"), ("confirm-number", "1"), ("ask-subject", "4"), ("message-offer", "#")]

SPEAKS, REFUSES, WRONG, NEVER = "speaks", "refuses", "wrong number", "never answers"
ENDS = {SPEAKS: Outcome.REACHED, REFUSES: Outcome.REFUSED, WRONG: Outcome.WRONG_NUMBER}


@dataclass
class Citizen:
    """Somebody who registers, and what the rules say of them. `came` counts registrations."""

    name: str
    came: int
    fate: str = SPEAKS
    number: str = field(default_factory=make.a_number)
    ticket: str = ""
    moved: bool = False
    missed: int = 0
    unanswered: int = 0
    attempts: int = 0
    due: int = 0
    state: str = "waiting"

    @property
    def phone(self) -> str:
        return numbers.format_national(self.number)


class Line:
    """The rule of the city, once more: moved up, then rounds missed, then who came first."""

    def __init__(self) -> None:
        self.citizens: list[Citizen] = []
        self.minute = 0

    def waiting(self) -> list[Citizen]:
        inside = [citizen for citizen in self.citizens if citizen.state == "waiting"]
        return sorted(inside, key=lambda citizen: (not citizen.moved, -citizen.missed, citizen.came))

    def next(self) -> Citizen | None:
        return next((citizen for citizen in self.waiting() if citizen.due <= self.minute), None)

    def called(self, citizen: Citizen) -> None:
        if citizen.fate != NEVER:
            citizen.state = citizen.fate
            return
        citizen.attempts += 1
        citizen.due = self.minute + RETRY
        if citizen.attempts == ATTEMPTS:
            citizen.state = "unreached"

    def carry(self) -> "Line":
        """The line of the next round."""
        following = Line()
        for citizen in self.citizens:
            if citizen.state == "unreached" and citizen.unanswered:
                citizen.state = "closed"
            if citizen.state not in ("waiting", "unreached"):
                continue
            citizen.unanswered += citizen.state == "unreached"
            citizen.missed, citizen.attempts, citizen.due, citizen.state = citizen.missed + 1, 0, 0, "waiting"
            following.citizens.append(citizen)
        return following


class City:
    """Everybody's telephones and pages."""

    def __init__(self, engine: Engine, settings: Settings, app: FastAPI, asterisk: FakeAsterisk) -> None:
        self.engine, self.settings, self.app, self.asterisk = engine, settings, app, asterisk
        with writing(engine) as session:
            self.mayor = make.an_official(session)
            self.operators = [make.a_user(session, make.a_desk(session)) for _ in range(2)]

    def passes(self, by: timedelta) -> None:
        """Time passes: whatever is kept becomes older."""
        with writing(self.engine) as session:
            for table in (model.__table__ for model in (Round, Registration, Confirmation, OutboxMessage)):
                key = next(iter(table.primary_key))
                moments = [column for column in table.columns if isinstance(column.type, UtcDateTime)]
                names = [column.name for column in moments]
                aged = [
                    {"row": id_, **{name: at and at - by for name, at in zip(names, values, strict=True)}}
                    for id_, *values in session.execute(select(key, *moments))
                ]
                if aged:
                    session.connection().execute(update(table).where(key == bindparam("row")), aged)

    def plans(self) -> Round:
        """A round is announced now, whose registration is open from an hour on, in a little over a day."""
        with writing(self.engine) as session:
            at = now(session)
            return planning.make(
                session,
                official=session.merge(self.mayor, load=False),
                registration_from=at + HOUR,
                registration_until=at + DAY + 2 * HOUR,
                starts_at=at + DAY + HOUR,
                ends_at=at + DAY + 4 * HOUR,
                languages=["fa"],
            )

    def dials(self, citizen: Citizen, *steps: tuple[str, str], **how: str) -> Heard:
        heard = self.asterisk.dial(*steps, **{"caller_id": citizen.phone, **how})
        assert heard.finished
        return heard

    def registers(self, citizen: Citizen, round_: Round, before_me: int) -> Heard:
        """Calls, presses four keys, and hears the ticket number and the place."""
        heard = self.dials(citizen, *YES)
        with reading(self.engine) as session:
            kept = session.scalars(
                select(Registration).where(
                    Registration.number == citizen.number, Registration.round_id == round_.id
                )
            ).one()
        citizen.ticket = kept.ticket
        assert heard.said("registered", ticket=kept.ticket)
        assert heard.said("ahead-some", ahead=before_me) if before_me else heard.said("ahead-none")
        return heard

    def registers_without_a_caller_id(self, citizen: Citizen, round_: Round) -> None:
        """Keys in the number, and confirms it when it is called."""
        steps = [YES[0], ("ask-number", f"{citizen.phone}#"), ("confirm-number", "1")]
        assert "number-will-be-confirmed" in self.dials(citizen, *steps, caller_id="anonymous").prompts
        heard = self.is_called(citizen, ("confirm-call-press-one", "1"))
        assert "confirm-call-done" in heard.prompts

    def is_called(self, citizen: Citizen, *steps: tuple[str, str]) -> Heard:
        """Picks up the call that was asked for, and answers."""
        with writing(self.engine) as session:
            for asked in session.scalars(select(Confirmation).where(Confirmation.decided_at.is_(None))):
                assert asked.not_before < now(session) + timedelta(seconds=10), "the caller has hung up"
                asked.not_before = now(session)
            session.flush()
            (due,) = confirmation_calls.list_due(session, 5)
            taken = confirmation_calls.take_up(session, due)
            assert taken and taken.token and taken.registration
            citizen.ticket = taken.registration.ticket
            token = taken.token
        return self.dials(citizen, *steps, script="confirm", channel_id=token)

    def standing(self, round_: Round) -> list[str]:
        """The ticket numbers of the line, as the desks see it."""
        with self._page(0) as page:
            items = page.get(f"{V1}/rounds/{round_.id}/registrations").json()["items"]
        assert [item["place"] for item in items] == list(range(1, len(items) + 1))
        return [item["ticket"] for item in items]

    def _page(self, desk: int) -> TestClient:
        with writing(self.engine) as session:
            cookie = sign_ins.sign_in(session, self.operators[desk])
        return TestClient(self.app, cookies={COOKIE: cookie})

    def holds(self, round_: Round, line_: Line, reach: int) -> list[str]:
        """The desks call one citizen after the other, until so many are reached; the names, as called."""
        called: list[str] = []
        reached = 0
        with ExitStack() as stack:
            pages = [stack.enter_context(self._page(desk)) for desk in range(2)]
            while reached < reach and (line_.waiting()):
                for page in pages:
                    expected = line_.next()
                    answer = page.post(f"{V1}/rounds/{round_.id}/claims")
                    if expected is None:
                        assert answer.status_code == 204
                        continue
                    assert answer.json()["registration"]["ticket"] == expected.ticket, (called, expected)
                    self._calls(page, answer.json()["id"], expected)
                    line_.called(expected)
                    called.append(expected.name)
                    reached += expected.state == SPEAKS
                    if reached == reach:
                        break
                self.passes(timedelta(minutes=TICK))
                line_.minute += TICK
        return called

    def _calls(self, page: TestClient, callback_id: int, citizen: Citizen) -> None:
        """The desk has the citizen called; the dialer's part is played here, the citizen's by telephone."""
        assert page.post(f"{V1}/callbacks/{callback_id}/call").status_code == 202
        with writing(self.engine) as session:
            token = session.get_one(Callback, callback_id).token
            assert placing.take_up(session, token)
            transitions.move(session, token, CallbackState.RINGING)
        if citizen.fate == NEVER:
            with writing(self.engine) as session:
                assert closing.close(session, token, Outcome.NO_ANSWER, self.settings)
            return
        heard = self.dials(citizen, ("callback-press-one", "1"), script="callback", channel_id=token)
        assert heard.variables["HOTLINE_CONFIRMED"] == "yes"
        with writing(self.engine) as session:
            assert transitions.move(session, token, CallbackState.TALKING, talking_at=now(session))
            assert transitions.move(session, token, CallbackState.ENDED)
        outcome = {"outcome": ENDS[citizen.fate]}
        assert page.put(f"{V1}/callbacks/{callback_id}/outcome", json=outcome).status_code == 200

    def ends(self, round_: Round) -> None:
        with writing(self.engine) as session:
            phases.end_round(session, phases.get(session, round_.id))

    def scheduler(self) -> None:
        """The scheduler comes by; a second time changes nothing."""
        carry_over(self.engine, self.settings)
        before = self.everything()
        carry_over(self.engine, self.settings)
        assert self.everything() == before

    def everything(self) -> list[tuple[object, ...]]:
        with reading(self.engine) as session:
            columns = (Registration.id, Registration.round_id, Registration.state, Registration.rounds_missed)
            kept = [tuple(row) for row in session.execute(select(*columns).order_by(Registration.id))]
            counted = [select(func.count()).select_from(model) for model in (Carry, OutboxMessage)]
            return [*kept, *((session.scalar(count),) for count in counted)]

    def told(self, kind: OutboxKind) -> list[str]:
        """The numbers that are sent a message of this kind."""
        with reading(self.engine) as session:
            return sorted(session.scalars(select(OutboxMessage.to).where(OutboxMessage.kind == kind)))

    def phase(self, round_: Round) -> Phase:
        with reading(self.engine) as session:
            return phases.find_phase(phases.get(session, round_.id), now(session))


@pytest.fixture
def city(settings: Settings, engine: Engine) -> Iterator[City]:
    settings = settings.model_copy(update={"max_attempts": ATTEMPTS, "retry_seconds": RETRY * 60})
    with answering(settings, engine) as asterisk, TestClient(create(settings)) as page:
        assert isinstance(page.app, FastAPI)
        yield City(engine, settings, page.app, asterisk)


def tickets(citizens: Sequence[Citizen]) -> list[str]:
    return [citizen.ticket for citizen in citizens]


def many_register(city: City, round_: Round) -> Line:
    """More than can be reached: one without a caller id, one cancels, one is moved up."""
    first = Line()
    fates = {2: NEVER, 3: REFUSES, 7: WRONG, 9: NEVER}
    for came in range(MANY):
        citizen = Citizen(f"first-{came}", came, fates.get(came, SPEAKS))
        first.citizens.append(citizen)
        if came == 5:
            city.registers_without_a_caller_id(citizen, round_)
            continue
        heard = city.registers(citizen, round_, before_me=came)
        assert heard.said("expectation", reached=30), "three hours, six minutes each"
    gives_up, lifted = first.citizens[12], first.citizens[20]
    out = [("main-menu", "2"), ("follow-up-menu", "2"), ("cancel-confirm", "5")]
    assert city.dials(gives_up, *out).prompts[-2:] == ["cancel-call-soon", "goodbye"]
    heard = city.is_called(gives_up, ("confirm-cancel-press-one", "1"))
    assert heard.prompts[-2:] == ["cancelled-now", "confirm-call-goodbye"]
    gives_up.state = "cancelled"
    with writing(city.engine) as session:
        row = registration.get_by_ticket(session, lifted.ticket)
        order.move_up(session, row, who="supervisor", reason="جراحی در همان روز")
    lifted.moved = True
    return first


@pytest.mark.long
def test_two_public_rounds_call_everybody_in_order(
    city: City,
) -> None:
    # A day ahead, the round is announced; whoever calls hears when registration begins.
    mayors = city.plans()
    early = Citizen("early", -1)
    assert city.phase(mayors) is Phase.ANNOUNCED
    assert city.dials(early, ("main-menu", "1"), ("main-menu", "2"), caller_id="").prompts[3:6] == [
        *("next-round-when", "registration-opens", "main-menu"),
    ]

    # Too many register.
    city.passes(2 * HOUR)
    assert city.phase(mayors) is Phase.OPEN
    first = many_register(city, mayors)
    assert city.standing(mayors) == tickets(first.waiting())

    # The round: about half are reached. One refuses, one number is wrong, two never answer.
    city.passes(DAY - HOUR + timedelta(minutes=1))
    called = city.holds(mayors, first, reach=REACHED_FIRST)
    in_turn = [n for n in range(MANY) if n not in (12, 20)]
    assert list(dict.fromkeys(called)) == [f"first-{n}" for n in [20, *in_turn][:22]]
    assert {name: called.count(name) for name in called if called.count(name) > 1} == {
        **dict.fromkeys(("first-2", "first-9"), ATTEMPTS),
    }
    assert city.phase(mayors) is Phase.LIVE
    city.ends(mayors)

    # The next round is not made yet: whom this one did not reach is told so, by message and on the telephone.
    city.scheduler()
    left = [first.citizens[n] for n in [2, 9, *range(23, MANY)]]
    assert [citizen for citizen in first.citizens if citizen.state in ("waiting", "unreached")] == left
    assert city.told(OutboxKind.NOT_REACHED) == sorted(citizen.number for citizen in left)
    heard = city.dials(left[-1], ("main-menu", "2"), ("follow-up-menu", "#"))
    assert heard.prompts[3:6] == ["active-registration", "status-not-reached", "next-round-to-come"]

    # It is made. Before the scheduler comes by, two of them register anew, and others for the first time.
    city.passes(6 * DAY)
    again = city.plans()
    city.passes(2 * HOUR)
    fresh = [Citizen(f"second-{n}", MANY + n) for n in range(6)]
    city.registers(fresh[0], again, before_me=0)
    twice = [Citizen("twice", -1, number=first.citizens[n].number) for n in (25, 30)]
    for before_me, citizen in enumerate(twice, start=1):
        city.registers(citizen, again, before_me=before_me)
    city.registers(fresh[1], again, before_me=3)
    city.scheduler()
    second = first.carry()
    assert second.citizens == left
    second.citizens += fresh[:2]
    assert city.standing(again) == tickets([*left, *fresh[:2]]), "with the same ticket numbers, first"
    assert city.told(OutboxKind.CARRIED) == sorted(citizen.number for citizen in left)

    # More register, also one who was reached; all hear of those before them, new ones what a round reaches.
    had_it = Citizen("first-0 once more", MANY + 6, number=first.citizens[0].number)
    for before_me, citizen in enumerate([*fresh[2:], had_it], start=len(left) + 2):
        heard = city.registers(citizen, again, before_me=before_me)
        assert heard.said("expectation", reached=REACHED_FIRST) is (citizen is not had_it)
        second.citizens.append(citizen)
    assert city.standing(again) == tickets([*left, *fresh, had_it])

    # Who registered twice has one place, the older, and either ticket number leads to it.
    for citizen, place in zip(twice, (5, 10), strict=True):
        heard = city.dials(early, ("main-menu", "2"), ("follow-up-ask", citizen.ticket))
        assert heard.prompts[-4:] == ["carried-over", "place", "round-at", "goodbye"]
        assert heard.said("place", place=place)
        heard = city.dials(citizen, ("main-menu", "1"))
        assert heard.prompts[3] == "carried-over"
        assert heard.said("ticket-is", ticket=left[place - 1].ticket)

    # The next round speaks with them first, in the old order, and then with the rest.
    city.passes(DAY - HOUR + timedelta(minutes=1))
    left[1].fate = SPEAKS  # at home this time; the other one is not
    called = city.holds(again, second, reach=MANY)
    expected = [citizen.name for citizen in [*left, *fresh, had_it]]
    assert list(dict.fromkeys(called)) == expected
    assert [name for name in called if called.count(name) > 1] == ["first-2"] * ATTEMPTS
    assert city.standing(again) == []
    city.ends(again)

    # Who never answered in two rounds is told that this was all; nobody else is left, and nobody was lost.
    city.scheduler()
    never = left[0]
    second.carry()
    assert never.state == "closed"
    assert city.told(OutboxKind.CLOSED) == [never.number]
    heard = city.dials(early, ("main-menu", "2"), ("follow-up-ask", never.ticket))
    assert heard.prompts[-2:] == ["status-given-up", "goodbye"]
    kept_of = {
        **dict.fromkeys((SPEAKS,), RegistrationState.REACHED),
        **dict.fromkeys((REFUSES, WRONG, "closed"), RegistrationState.CLOSED),
        "cancelled": RegistrationState.CANCELLED,
    }
    with reading(city.engine) as session:
        for citizen in [*first.citizens, *fresh, had_it]:
            kept = registration.get_by_ticket(session, citizen.ticket)
            assert kept.state is kept_of[citizen.state], citizen
        everybody = session.scalar(select(func.count()).select_from(Registration))
    assert everybody == MANY + len(fresh) + 1 + len(twice)
