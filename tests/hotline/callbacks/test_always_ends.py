"""A place that holds its number can always still be called, carried or closed: none is stuck.

Hypothesis plays citizens, strangers, desks, planners and the telephone network. Then days pass in which the
system only does its usual work, and everybody who is called answers. At their end nobody holds a place.
"""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Confirmation, Registration, Round
from db.states import HOLDS_PLACE, CallbackState, HeadsUpAnswer, Outcome, RegistrationState
from hotline.callbacks import claims, closing
from hotline.errors import Refused
from hotline.line import (
    carry_over,
    confirmation_calls,
    confirmations,
    registration,
)
from hotline.outbound import heads_up, queue
from hotline.rounds import phases, planning
from settings import Settings
from tests import factories as make
from tests.factories import a_desk, a_user, an_official

NUMBERS = [f"+98913000{n:04}" for n in range(4)]
DAY = timedelta(days=1)
_TIMES = ("announce_at", "registration_from", "registration_until", "starts_at", "ends_at")


class World:
    """Two officials, the operators' line and two desks. Each deed takes a number that says which of many."""

    def __init__(self, engine: Engine, conf: Settings) -> None:
        self.engine, self.conf = engine, conf
        with writing(engine) as session:
            officials = [an_official(session), an_official(session)]
            users = [a_user(session, a_desk(session)) for _ in range(2)]
            session.flush()
            self.officials = [official.id for official in officials]
            self.desks = {user.desk_id or 0: user.id for user in users}
            self.operators_line_id = phases.get_operators_line(session).id
        self.mine = [self.operators_line_id]
        for official in self.officials:
            self._make(official)

    def _make(self, official: int) -> None:
        with writing(self.engine) as session:
            at = now(session)
            busy = select(Round).where(Round.official_id == official, ~phases.is_over(at))
            if session.scalar(busy):
                return
            round_ = Round(
                official_id=official,
                **dict.fromkeys(("announce_at", "registration_from", "starts_at"), at - timedelta(hours=1)),
                **dict.fromkeys(("registration_until", "ends_at"), at + timedelta(hours=9)),
            )
            session.add(round_)
            session.flush()
            self.mine.append(round_.id)

    def _some(self, session: Session, which: int, *states: RegistrationState) -> Registration | None:
        query = select(Registration).where(
            Registration.round_id.in_(self.mine), Registration.state.in_(states or HOLDS_PLACE)
        )
        found = session.scalars(query.order_by(Registration.id)).all()
        return found[which % len(found)] if found else None

    # --- what may happen ---

    def _chosen(self, which: int) -> tuple[int, str]:
        return self.mine[-1 - which % min(3, len(self.mine))], NUMBERS[which % len(NUMBERS)]

    def a_number_registers(self, which: int) -> None:
        round_id, number = self._chosen(which)
        with writing(self.engine) as session:
            registration.register(session, round_id=round_id, number=number)

    def a_stranger_keys_a_number_in(self, which: int) -> None:
        round_id, number = self._chosen(which)
        asked = {"asked_by": f"+98914000{which:04}", "language": "fa", "per_day": 99}
        with writing(self.engine) as session:
            confirmations.ask_place(session, round_id=round_id, number=number, **asked)

    def a_change_is_wished(self, which: int) -> None:
        with writing(self.engine) as session:
            if (place := self._some(session, which)) and which % 2:
                confirmations.ask_cancellation(session, place.id)
            elif place:
                wished = NUMBERS[which % len(NUMBERS)]
                with contextlib.suppress(Refused):  # it has this number, or was asked often enough
                    confirmations.ask_number(session, place.id, wished, per_day=99)

    def an_operator_is_asked_for(self, which: int) -> None:
        with writing(self.engine) as session:
            registration.register(
                session, round_id=self.operators_line_id, number=NUMBERS[which % len(NUMBERS)]
            )

    def a_place_is_given_up(self, which: int) -> None:
        with writing(self.engine) as session:
            if place := self._some(session, which):
                registration.cancel(session, place.id)

    def a_number_changes(self, which: int) -> None:
        with writing(self.engine) as session:
            if place := self._some(session, which):
                registration.change_number(session, place.id, NUMBERS[(which + 1) % len(NUMBERS)])

    def a_desk_takes_somebody(self, which: int) -> None:
        desk = list(self.desks)[which % len(self.desks)]
        with writing(self.engine) as session:
            round_id = self.mine[which % len(self.mine)]
            claims.claim(session, round_id=round_id, desk_id=desk, user_id=self.desks[desk])

    def somebody_is_called_ahead(self, which: int) -> None:
        with writing(self.engine) as session:
            claims.call_ahead(session, phases.get(session, self.mine[which % len(self.mine)]))

    def a_call_ends(self, which: int, outcome: Outcome | None = None) -> None:
        with writing(self.engine) as session:
            query = select(Callback).where(Callback.state != CallbackState.CLOSED).order_by(Callback.id)
            live = session.scalars(query.where(Callback.round_id.in_(self.mine))).all()
            if live:
                outcome = outcome or sorted(Outcome)[which % len(Outcome)]
                _close(session, live[which % len(live)], outcome, self.conf)

    def nobody_answers(self, which: int) -> None:
        self.a_call_ends(which, Outcome.NO_ANSWER)

    def whoever_is_near_is_asked(self, which: int) -> None:
        with writing(self.engine) as session:
            heads_up.tell(session, 2, call_beyond=0)
            for place in make.due_heads_up(session):
                make.claim_heads_up(session, place)

    def a_near_call_ends(self, which: int) -> None:
        answers = [None, *HeadsUpAnswer]
        with writing(self.engine) as session:
            for token in list(queue.list_in_progress(session))[:1]:
                if said := answers[which % len(answers)]:
                    heads_up.answer(session, token, said)
                queue.finish(session, token)

    def a_number_is_to_be_confirmed(self, which: int) -> None:
        with writing(self.engine) as session:
            for id_ in confirmation_calls.list_due(session, 1):
                confirmation_calls.take_up(session, id_)

    def a_confirmation_ends(self, which: int) -> None:
        with writing(self.engine) as session:
            for token in list(confirmation_calls.list_in_progress(session))[:1]:
                if which % 3:
                    confirmation_calls.answer(session, token, yes=which % 3 == 1)
                confirmation_calls.record_end(session, token)

    def a_round_ends(self, which: int) -> None:
        with writing(self.engine) as session:
            deed = (planning.end, planning.cancel, planning.open_now)[which % 3]
            round_ = phases.get(session, self.mine[which % len(self.mine)])
            deed(session, round_, who="u", reason="بیماری")

    def a_round_is_made(self, which: int) -> None:
        self._make(self.officials[which % len(self.officials)])

    def the_scheduler_carries_over(self, which: int) -> None:
        with writing(self.engine) as session:
            carry_over.carry_over(session, 1 + which % 3)

    def a_while_passes(self, which: int) -> None:
        self.pass_time(timedelta(minutes=which))

    def pass_time(self, how_long: timedelta) -> None:
        """The clock is the database's: all moments go back instead."""
        with writing(self.engine) as session:
            mine = Registration.round_id.in_(self.mine)
            announced = select(Round).where(Round.id.in_(self.mine), Round.is_operators_line.is_(False))
            waits = select(Registration).where(mine, Registration.not_before.is_not(None))
            confirmations_ = select(Confirmation).join(Confirmation.registration).where(mine)
            for round_ in session.scalars(announced):
                for name in _TIMES:
                    setattr(round_, name, getattr(round_, name) - how_long)
            for row in [*session.scalars(waits), *session.scalars(confirmations_)]:
                row.not_before -= how_long

    # --- what happens by itself ---

    def let_a_day_pass(self) -> None:
        """Everybody answers, and presses 1; every official has a round."""
        self.pass_time(DAY)
        for official in self.officials:
            self._make(official)
        with writing(self.engine) as session:
            while carry_over.carry_over(session):
                pass
            for token in list(queue.list_in_progress(session)):
                queue.finish(session, token)
            for token in list(confirmation_calls.list_in_progress(session)):
                confirmation_calls.record_end(session, token)
            for id_ in confirmation_calls.list_due(session, 99):
                confirmation = confirmation_calls.take_up(session, id_)
                if confirmation is None:  # their phone is busy with another one: tomorrow
                    continue
                assert confirmation.token
                confirmation_calls.answer(session, confirmation.token, yes=True)
            self._answer_all(session)

    def _answer_all(self, session: Session) -> None:
        for callback in session.scalars(select(Callback).where(Callback.state != CallbackState.CLOSED)):
            _close(session, callback, Outcome.CALL_AGAIN, self.conf)
        for round_id in self.mine:
            round_ = phases.get(session, round_id)
            if session.scalar(select(phases.is_over(now(session))).where(Round.id == round_id)):
                continue
            while callback := claims.call_ahead(session, round_):
                _close(session, callback, Outcome.REACHED, self.conf)

    def holding(self) -> list[tuple[int, str]]:
        with reading(self.engine) as session:
            query = select(Registration.id, Registration.state).where(
                Registration.round_id.in_(self.mine), Registration.state.in_(HOLDS_PLACE)
            )
            return [(id_, state.value) for id_, state in session.execute(query)]


def _close(session: Session, callback: Callback, outcome: Outcome, conf: Settings) -> None:
    session.execute(
        update(Callback)
        .where(Callback.id == callback.id)
        .values(state=CallbackState.ANSWERED)
        .execution_options(synchronize_session=False)
    )
    closing.close(session, callback.token, outcome, conf)


DEEDS = [
    name for name in vars(World) if name.split("_")[0] in ("a", "an", "nobody", "somebody", "whoever", "the")
]
LOST_FOR_EVER = [  # once: no call came any more, and the next 0 found this place
    ("an_operator_is_asked_for", 0),
    *[("somebody_is_called_ahead", 0), ("nobody_answers", 0), ("a_while_passes", 60)] * 2,
]


@pytest.fixture
def conf(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_attempts": 2})


@pytest.mark.long
@pytest.mark.timeout(600)
@hypothesis_settings(suppress_health_check=list(HealthCheck), max_examples=20)
@example(story=LOST_FOR_EVER)
@given(story=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 60)), max_size=40))
def test_any_events_leave_no_place_stuck(
    engine: Engine, conf: Settings, story: list[tuple[str, int]]
) -> None:
    world = World(engine, conf)
    for deed, which in story:
        with contextlib.suppress(Refused):
            getattr(world, deed)(which)
    for _ in range(3):
        world.let_a_day_pass()
    assert world.holding() == []
