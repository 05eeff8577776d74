"""Planning rounds: what is refused and why, what is changed, who is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import AuditEntry, LedgerEntry, Official, OutboxKind, OutboxMessage, Round
from db.states import Fact, Phase
from hotline.errors import Refused
from hotline.line import registration
from hotline.rounds import phases, planning
from tests.factories import HOUR, a_number, a_registration, a_round, an_official, at_once, told
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

DAY = 24 * HOUR


@pytest.fixture
def plan(session: Session) -> Callable[..., Round]:
    """Plan a round in two days, for three hours, with registration a day ahead."""
    official = an_official(session)

    def make(**values: Any) -> Round:
        start = now(session) + 2 * DAY
        times = {
            "registration_from": start - DAY,
            "registration_until": start + 3 * HOUR,
            "starts_at": start,
            "ends_at": start + 3 * HOUR,
        }
        return planning.make(session, **{"official": official, **times, **values})

    return make


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as error:
        act()
    assert error.value.code == code


def test_planned_round_is_announced_and_audited(session: Session, plan: Callable[..., Round]) -> None:
    deputy = an_official(session)
    round_ = plan(deputies=[deputy], capacity=30, languages=["fa"], minutes=5, recorded=True, who="planner")

    assert phases.find_phase(round_, now(session)) is Phase.ANNOUNCED
    assert (round_.deputies, round_.capacity, round_.languages, round_.minutes) == ([deputy], 30, "fa", 5)
    assert round_.recorded
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.who, entry.action, entry.subject) == ("planner", "round-made", f"round {round_.id}")


def test_future_notice_leaves_the_round_planned(session: Session, plan: Callable[..., Round]) -> None:
    round_ = plan(announce_at=now(session) + HOUR)
    assert phases.find_phase(round_, now(session)) is Phase.PLANNED


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"capacity": 0}, "round-values"),
        ({"minutes": 0}, "round-values"),
        ({"languages": []}, "round-values"),
        ({"languages": ["fa", "xx"]}, "round-values"),
    ],
)
def test_impossible_plan_is_refused(plan: Callable[..., Round], values: dict[str, Any], code: str) -> None:
    refused(code, lambda: plan(**values))


def test_short_notice_is_refused_unless_meant(session: Session, plan: Callable[..., Round]) -> None:
    start = now(session) + 2 * DAY
    late = {"announce_at": start - DAY + timedelta(minutes=1), "registration_from": start - HOUR}
    refused("notice-too-short", lambda: plan(**late))
    assert plan(**late, short_notice=True).id


def test_busy_official_is_refused(session: Session, plan: Callable[..., Round]) -> None:
    first = plan()
    other = an_official(session)
    session.flush()
    touching = {
        "registration_until": first.ends_at + HOUR,
        "starts_at": first.ends_at,
        "ends_at": first.ends_at + HOUR,
    }
    refused("official-busy", plan)
    refused("official-busy", lambda: plan(official=other, substitute=first.official))
    assert plan(**touching).id
    assert plan(official=other).id
    planning.cancel(session, first, who="planner", reason="بیماری")
    same = {"starts_at": first.starts_at, "ends_at": first.ends_at, "registration_until": first.ends_at}
    assert plan(**same).id


def test_substitute_is_busy_instead_of_the_official(session: Session, plan: Callable[..., Round]) -> None:
    substitute = an_official(session)
    plan(substitute=substitute)
    assert plan().id  # the official themself speaks elsewhere
    refused("official-busy", lambda: plan(official=substitute))


@in_both
def test_official_planned_by_two_at_once_is_refused_once(engine: Engine) -> None:
    with writing(engine) as session:
        official = an_official(session)
        session.flush()

    def make(_which: int) -> bool:
        try:
            with writing(engine) as session:
                start = now(session) + 2 * DAY
                planning.make(
                    session,
                    official=session.get_one(Official, official.id),
                    registration_from=start - DAY,
                    registration_until=start,
                    starts_at=start,
                    ends_at=start + HOUR,
                )
        except Refused as error:
            assert error.code == "official-busy"
            return False
        return True

    assert sum(at_once(4, make)) == 1


def test_change_needs_a_public_reason(session: Session, plan: Callable[..., Round]) -> None:
    round_ = plan()
    later = round_.ends_at + HOUR
    refused("reason-missing", lambda: planning.change(session, round_, who="x", reason=" ", ends_at=later))
    planning.change(session, round_, who="planner", reason="جلسهٔ شورا", ends_at=later)

    assert (round_.ends_at, round_.reason) == (later, "جلسهٔ شورا")
    assert told(session)[-1].what == "changed"


def test_refused_change_alters_nothing(session: Session, plan: Callable[..., Round]) -> None:
    round_ = plan()
    session.commit()
    refused(
        "round-times",
        lambda: planning.change(session, round_, who="x", reason="x", ends_at=round_.starts_at - HOUR),
    )
    session.rollback()
    session.refresh(round_)
    assert round_.ends_at > round_.starts_at


@pytest.mark.parametrize("phase", [Phase.OVER, Phase.CANCELLED, None])
def test_finished_round_or_operators_line_cannot_be_changed(session: Session, phase: Phase | None) -> None:
    round_ = a_round(session, phase) if phase else phases.get_operators_line(session)
    refused("wrong-state", lambda: planning.change(session, round_, who="x", reason="x", minutes=4))


def test_extended_live_round_keeps_its_start(
    session: Session,
) -> None:
    round_ = a_round(session)
    waits = a_registration(session, round_, number="+989131234567")
    later = round_.ends_at + HOUR
    change = {"who": "planner", "reason": "استقبال شهروندان"}
    same = {"starts_at": round_.starts_at, "registration_from": round_.registration_from}
    planning.change(
        session, round_, **change, **same, ends_at=later, registration_until=later, capacity=500, minutes=4
    )
    assert phases.find_phase(round_, now(session)) is Phase.LIVE
    assert (round_.ends_at, round_.registration_until, round_.capacity, round_.minutes) == (
        *(later, later),
        *(500, 4),
    )
    assert registration.register(session, round_id=round_.id, number=a_number()).before_me == 1
    (text_message,) = session.scalars(
        select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.ROUND_CHANGED)
    )
    assert text_message.registration_id == waits.id
    for name in ("starts_at", "registration_from", "announce_at"):
        moved = {name: getattr(round_, name) - HOUR}
        refused("round-begun", lambda moved=moved: planning.change(session, round_, **change, **moved))  # type: ignore[misc]
    past = now(session) - HOUR / 60
    refused("round-times", lambda: planning.change(session, round_, **change, ends_at=past))


def test_end_moved_in_overtime_gives_two_hours_more(session: Session) -> None:
    round_ = a_round(session)
    for name in ("announce_at", "registration_from", "starts_at"):
        setattr(round_, name, getattr(round_, name) - 4 * HOUR)
    round_.ends_at = round_.registration_until = now(session) - phases.OVERTIME + HOUR / 60
    session.flush()
    later = now(session) + HOUR
    planning.change(session, round_, who="planner", reason="صف طولانی", ends_at=later)
    assert phases.find_phase(round_, later + phases.OVERTIME - HOUR / 60) is Phase.LIVE


def test_extension_into_the_officials_next_round_is_refused(
    session: Session, plan: Callable[..., Round]
) -> None:
    live = a_round(session)
    start = live.ends_at + HOUR
    times = {"starts_at": start, "ends_at": start + HOUR, "registration_until": start + HOUR}
    plan(official=live.official, short_notice=True, registration_from=start - HOUR, **times)
    longer = {"ends_at": start + HOUR / 2}
    refused("official-busy", lambda: planning.change(session, live, who="x", reason="x", **longer))


def test_cancellation_is_recorded_once(session: Session, plan: Callable[..., Round]) -> None:
    round_ = plan()
    for _ in range(2):
        planning.cancel(session, round_, who="planner", reason="هوای آلوده")

    assert phases.find_phase(round_, now(session)) is Phase.CANCELLED
    facts = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == Fact.ROUND_CANCELLED)).all()
    assert [f.round_id for f in facts] == [round_.id]
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "round-cancelled")).all()) == 1


def test_finished_round_or_operators_line_cannot_be_cancelled(
    session: Session,
) -> None:
    over, operators_line = a_round(session, Phase.OVER), phases.get_operators_line(session)
    for round_ in (over, operators_line):
        refused("wrong-state", lambda r=round_: planning.cancel(session, r, who="x", reason="x"))  # type: ignore[misc]


@in_both
def test_last_place_is_given_once(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.OPEN)
        round_.capacity = 3
        round_id, numbers = round_.id, [a_number() for _ in range(8)]

    def register(which: int) -> bool:
        try:
            with writing(engine) as session:
                registration.register(session, round_id=round_id, number=numbers[which])
        except Refused as error:
            assert error.code == "round-full"
            return False
        return True

    assert sum(at_once(8, register)) == 3


def test_cancelled_place_in_a_full_round_is_free(session: Session) -> None:
    round_ = a_round(session, Phase.OPEN)
    round_.capacity = 1
    taken = registration.register(session, round_id=round_.id, number=a_number())
    refused("round-full", lambda: registration.register(session, round_id=round_.id, number=a_number()))
    registration.cancel(session, taken.registration_id)
    assert registration.register(session, round_id=round_.id, number=a_number()).before_me == 0
