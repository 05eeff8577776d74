"""A dozen citizens and what happens to them in two rounds, by the rules alone: no phones, no pages."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Confirmation, Registration, Round, Seal
from db.states import CallbackState, Outcome
from hotline.callbacks import claims, closing, transitions
from hotline.ledger import seals
from hotline.line import confirmation_calls, order, registration
from hotline.line.registration import Registered
from hotline.rounds import phases
from scheduler import jobs
from settings import Settings
from tests.factories import a_desk, a_number, a_user, an_official, keyed_in

REASON = "بیماری سخت"


def a_live_round(session: Session, official: int | None = None) -> Round:
    at = now(session)
    long_ago = at - timedelta(hours=1)
    made = Round(
        official_id=official or _official(session),
        announce_at=long_ago,
        registration_from=long_ago,
        starts_at=at - timedelta(minutes=30),
        registration_until=at + timedelta(hours=9),
        ends_at=at + timedelta(hours=9),
    )
    session.add(made)
    session.flush()
    return made


def _official(session: Session) -> int:
    official = an_official(session)
    session.flush()
    return official.id


class Story:
    """Each step is a transaction of its own."""

    def __init__(self, engine: Engine, conf: Settings) -> None:
        self.engine, self.conf = engine, conf
        with writing(engine) as session:
            self.round = a_live_round(session).id
            self.users = [a_user(session, a_desk(session)) for _ in range(2)]
        self.tickets: dict[int, str] = {}

    def registers(self, number: str = "", **how: Any) -> int:
        with writing(self.engine) as session:
            made = registration.register(session, round_id=self.round, number=number or a_number(), **how)
        self.tickets[made.registration_id] = made.ticket
        return made.registration_id

    def keyed_in(self) -> int:
        """A number that its owner has yet to confirm; returns its registration."""
        with writing(self.engine) as session:
            made = keyed_in(session, phases.get(session, self.round)).registration
            assert made
        self.tickets[made.id] = made.ticket
        return made.id

    def confirms(self, id_: int) -> None:
        """The owner presses 1."""
        with writing(self.engine) as session:
            of_place = select(Confirmation.id).where(Confirmation.registration_id == id_)
            confirmation = confirmation_calls.take_up(session, session.scalars(of_place).one())
            assert confirmation and confirmation.token
            assert isinstance(confirmation_calls.answer(session, confirmation.token, yes=True), Registered)

    def called(self, outcome: Outcome | None, desk: int = 0) -> int:
        user = self.users[desk]
        assert user.desk_id
        with writing(self.engine) as session:
            callback = claims.claim(session, round_id=self.round, desk_id=user.desk_id, user_id=user.id)
            assert callback is not None
        if outcome:
            self.ends(callback.token, outcome)
        return callback.registration_id

    def ends(self, token: str, outcome: Outcome) -> None:
        with writing(self.engine) as session:
            callback = transitions.find_by_token(session, token)
            assert callback
            callback.state = CallbackState.ENDED
            session.flush()
            closing.close(session, token, outcome, self.conf)

    def moves_up(self, id_: int) -> None:
        with writing(self.engine) as session:
            order.move_up(session, session.get_one(Registration, id_), who="supervisor", reason=REASON)

    def cancels(self, id_: int) -> None:
        with writing(self.engine) as session:
            registration.cancel(session, id_)

    def seals(self) -> Seal:
        jobs.seal(self.engine, self.conf)
        with reading(self.engine) as session:
            newest = seals.find_newest(session)
        assert newest
        return newest

    def goes_on(self) -> None:
        """The round ends, the next one is there, whoever is left passes to it."""
        with writing(self.engine) as session:
            round_ = phases.get(session, self.round)
            later = a_live_round(session, round_.official_id)
            phases.end_round(session, round_)
            self.round = later.id
        jobs.carry_over(self.engine, self.conf)


def told(story: Story) -> list[int]:
    """Twelve citizens; two seals; every kind of fact."""
    ids = [story.registers() for _ in range(10)]
    keyed = story.keyed_in()
    story.confirms(keyed)
    doubtful = story.keyed_in()
    story.moves_up(ids[5])
    assert story.called(Outcome.REACHED) == ids[5]
    assert story.called(Outcome.NO_ANSWER) == ids[0]
    assert story.called(Outcome.RETURNED) == ids[1]
    story.cancels(ids[3])
    story.seals()
    assert story.called(Outcome.WRONG_NUMBER) == ids[1]
    with writing(story.engine) as session:
        registration.change_number(session, ids[4], a_number())
    story.goes_on()
    assert story.called(Outcome.REACHED) == ids[0]
    assert story.called(None) == ids[2]
    story.seals()
    return [*ids, keyed, doubtful]
