"""Key 3, where somebody is in danger: an operator before all others, else the number to dial."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Desk, Event, LedgerEntry, Request, UrgentMatter
from db.states import CallbackState, Fact
from hotline.callbacks import live_desks
from hotline.ledger import verify
from hotline.line import line
from hotline.rounds import rounds
from settings import Settings
from tests import factories as make
from tests.ivr.scripts.registering import OWN, on_sqlite, registrations
from tests.kit.fake_asterisk import WORKING, FakeAsterisk, answering

pytestmark = on_sqlite

REPORTS = ("main-menu", "3")
DANGER = ("report-danger", "0")
ASKED = ["greeting", "menu-english", "main-menu", "report-danger"]


@pytest.fixture
def with_number(settings: Settings, engine: Engine) -> Iterator[FakeAsterisk]:
    """In a city that names its emergency service."""
    with answering(settings.model_copy(update={"urgent_number": "125"}), engine) as asterisk:
        yield asterisk


def a_desk(engine: Engine, *, busy: bool = False) -> None:
    with writing(engine) as session:
        desk = make.a_desk(session)
        user = make.a_user(session, desk)
        desk.takes_live = True
        if busy:
            make.a_callback(session, CallbackState.TALKING, user)


def only_matter(engine: Engine) -> UrgentMatter:
    with reading(engine) as session:
        return session.scalars(select(UrgentMatter)).one()


def told(engine: Engine) -> bool:
    """Whether pages were told that something cannot wait."""
    with reading(engine) as session:
        return session.scalar(select(Event.id).where(Event.kind == "urgent")) is not None


def somebody_waits(engine: Engine) -> None:
    with writing(engine) as session:
        make.a_registration(session, rounds.operators_line(session))


def test_given_a_free_desk_when_somebody_is_in_danger_then_the_caller_is_first_and_connected_at_once(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    a_desk(engine)
    heard = asterisk.dial(REPORTS, DANGER)
    (kept,) = registrations(engine)
    assert heard.prompts == [*ASKED, "operator-now"]
    assert heard.variables["HOTLINE_STAYS"] == str(kept.id)
    assert (kept.number, kept.moved_up, kept.moved_reason) == (OWN, 1, "جانِ کسی در خطر است")
    with reading(engine) as session:
        assert session.scalars(select(Request)).all() == []
    assert only_matter(engine).registration_id == kept.id
    assert not told(engine)  # a desk has them in a moment


def test_given_a_busy_desk_when_in_danger_then_they_pass_all_and_go_on_to_the_emergency_service_at_once(
    with_number: FakeAsterisk, engine: Engine
) -> None:
    a_desk(engine, busy=True)
    somebody_waits(engine)
    heard = with_number.dial(REPORTS, DANGER)
    assert heard.prompts == ASKED
    assert heard.variables["HOTLINE_RESCUE"] == f"{only_matter(engine).id}-fa"
    assert "HOTLINE_STAYS" not in heard.variables
    assert told(engine)
    with reading(engine) as session:
        operators_line = rounds.operators_line(session)
        first, second = line.page(session, operators_line.id, 10, None)
        assert (first.number, line.before_me(session, second)) == (OWN, 1)
        moved = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == Fact.MOVED_UP)).one()
        assert "در خطر" in moved.details
    assert not any(f"registration {first.id}:" in problem for problem in verify.verify(engine).problems)


def test_given_a_busy_desk_in_a_city_without_such_a_number_when_in_danger_then_they_wait_before_all(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    a_desk(engine, busy=True)
    heard = asterisk.dial(REPORTS, DANGER)
    assert heard.prompts == [*ASKED, "urgent-first"]
    assert heard.variables["HOTLINE_STAYS"] == str(registrations(engine)[-1].id)


def test_given_a_free_desk_when_in_danger_then_whoever_waits_after_all_is_known_to_be_in_danger(
    with_number: FakeAsterisk, engine: Engine
) -> None:
    a_desk(engine)
    heard = with_number.dial(REPORTS, DANGER)
    (kept,) = registrations(engine)
    assert heard.variables["HOTLINE_STAYS"] == f"{kept.id}-{only_matter(engine).id}"


def test_given_nobody_at_a_desk_when_somebody_is_in_danger_then_they_go_on_to_the_emergency_service(
    with_number: FakeAsterisk, engine: Engine
) -> None:
    heard = with_number.dial(REPORTS, DANGER)
    assert heard.prompts == ASKED
    matter = only_matter(engine)
    assert heard.variables["HOTLINE_RESCUE"] == f"{matter.id}-fa"
    assert (matter.number, matter.registration_id, registrations(engine)) == (OWN, None, [])


def test_given_a_caller_without_a_number_when_somebody_is_in_danger_then_they_key_in_nothing(
    with_number: FakeAsterisk, engine: Engine
) -> None:
    a_desk(engine)
    heard = with_number.dial(REPORTS, DANGER, caller_id="anonymous")
    assert heard.prompts == ASKED
    assert heard.variables["HOTLINE_RESCUE"] == f"{only_matter(engine).id}-fa"
    assert only_matter(engine).number is None


def test_given_nobody_who_could_help_when_a_problem_is_reported_then_nobody_is_asked(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.dial(REPORTS)
    assert "report-danger" not in heard.prompts


def test_given_no_danger_when_a_problem_is_reported_then_no_key_more_is_needed(
    with_number: FakeAsterisk, engine: Engine
) -> None:
    steps = [("report-category", "2"), ("report-district", "7#"), ("recording", "#"), ("report-review", "1")]
    heard = with_number.dial(REPORTS, *steps)
    assert heard.prompts[3:6] == ["report-danger", "report-category", "report-district"]
    with reading(engine) as session:
        assert session.scalars(select(Request.category)).one() == 2


@pytest.mark.parametrize("moment", ["report-danger", WORKING])
def test_given_a_category_typed_ahead_when_danger_is_spoken_of_then_it_is_the_category(
    asterisk: FakeAsterisk, engine: Engine, moment: str
) -> None:
    a_desk(engine)
    heard = asterisk.dial(REPORTS, (moment, "1"), ("report-district", "#"))
    assert "report-category" not in heard.prompts
    assert "report-speak" in heard.prompts


@pytest.mark.parametrize("moment", ["report-category", "subject-2"])
def test_given_danger_said_late_when_the_categories_are_read_then_it_counts(
    asterisk: FakeAsterisk, engine: Engine, moment: str
) -> None:
    a_desk(engine)
    assert asterisk.dial(REPORTS, (moment, "0")).prompts[-1] == "operator-now"
    assert registrations(engine)[0].moved_up == 1


def test_given_nobody_who_could_help_when_0_is_pressed_then_it_is_key_0_as_everywhere(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    heard = asterisk.dial(REPORTS, ("report-category", "0"), ("operator-choice", "2"))
    assert "operator-busy" in heard.prompts
    assert registrations(engine)[0].moved_up == 0


def test_given_a_place_in_the_line_when_in_danger_then_it_is_the_same_place_once(
    asterisk: FakeAsterisk, engine: Engine
) -> None:
    a_desk(engine, busy=True)
    asterisk.dial(REPORTS, DANGER)
    asterisk.dial(REPORTS, DANGER)
    (kept,) = [each for each in registrations(engine) if each.number == OWN]
    with reading(engine) as session:
        facts = session.scalars(select(LedgerEntry.fact).order_by(LedgerEntry.id)).all()
        assert facts.count(Fact.MOVED_UP) == kept.moved_up == 1


@pytest.mark.parametrize("why", ["its phone is away", "it takes none", "the line pauses"])
def test_given_a_desk_that_takes_nobody_when_looked_then_nobody_is_there(engine: Engine, why: str) -> None:
    a_desk(engine)
    with writing(engine) as session:
        operators_line = rounds.operators_line(session)
        session.flush()
        assert live_desks.is_any_at_work(session)
        desk = session.scalars(select(Desk)).one()
        match why:
            case "its phone is away":
                desk.phone_connected = False
            case "it takes none":
                desk.takes_live = False
            case _:
                operators_line.paused_at = now(session)
        session.flush()
        assert not live_desks.is_any_at_work(session)
