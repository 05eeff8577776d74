"""Key 3, where somebody is in danger: an operator before all others, else the number to dial."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Desk, Event, LedgerEntry, Request, UrgentMatter
from db.states import CallbackState, Fact
from hotline.callbacks import direct_routing
from hotline.ledger import verify
from hotline.line import order
from hotline.rounds import phases
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
        make.a_registration(session, phases.get_operators_line(session))


def test_danger_with_a_free_desk_connects_first_at_once(asterisk: FakeAsterisk, engine: Engine) -> None:
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


def test_danger_with_busy_desks_goes_to_the_emergency_service(
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
        operators_line = phases.get_operators_line(session)
        first, second = order.list_page(session, operators_line.id, 10, None)
        assert (first.number, order.count_before(session, second)) == (OWN, 1)
        moved = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == Fact.MOVED_UP)).one()
        assert "در خطر" in moved.details
    assert not any(f"registration {first.id}:" in problem for problem in verify.verify(engine).problems)


def test_danger_without_an_emergency_number_waits_first(asterisk: FakeAsterisk, engine: Engine) -> None:
    a_desk(engine, busy=True)
    heard = asterisk.dial(REPORTS, DANGER)
    assert heard.prompts == [*ASKED, "urgent-first"]
    assert heard.variables["HOTLINE_STAYS"] == str(registrations(engine)[-1].id)


def test_danger_is_passed_on_to_the_wait_for_a_free_desk(with_number: FakeAsterisk, engine: Engine) -> None:
    a_desk(engine)
    heard = with_number.dial(REPORTS, DANGER)
    (kept,) = registrations(engine)
    assert heard.variables["HOTLINE_STAYS"] == f"{kept.id}-{only_matter(engine).id}"


def test_danger_without_a_desk_goes_to_the_emergency_service(
    with_number: FakeAsterisk, engine: Engine
) -> None:
    heard = with_number.dial(REPORTS, DANGER)
    assert heard.prompts == ASKED
    matter = only_matter(engine)
    assert heard.variables["HOTLINE_RESCUE"] == f"{matter.id}-fa"
    assert (matter.number, matter.registration_id, registrations(engine)) == (OWN, None, [])


def test_danger_of_a_withheld_caller_asks_for_no_number(with_number: FakeAsterisk, engine: Engine) -> None:
    a_desk(engine)
    heard = with_number.dial(REPORTS, DANGER, caller_id="anonymous")
    assert heard.prompts == ASKED
    assert heard.variables["HOTLINE_RESCUE"] == f"{only_matter(engine).id}-fa"
    assert only_matter(engine).number is None


def test_request_asks_about_danger_only_if_somebody_can_help(
    asterisk: FakeAsterisk,
) -> None:
    heard = asterisk.dial(REPORTS)
    assert "report-danger" not in heard.prompts


def test_request_without_danger_takes_no_extra_key(with_number: FakeAsterisk, engine: Engine) -> None:
    steps = [("report-category", "2"), ("report-district", "7#"), ("recording", "#"), ("report-review", "1")]
    heard = with_number.dial(REPORTS, *steps)
    assert heard.prompts[3:6] == ["report-danger", "report-category", "report-district"]
    with reading(engine) as session:
        assert session.scalars(select(Request.category)).one() == 2


@pytest.mark.parametrize("moment", ["report-danger", WORKING])
def test_category_typed_ahead_is_no_danger(asterisk: FakeAsterisk, engine: Engine, moment: str) -> None:
    a_desk(engine)
    heard = asterisk.dial(REPORTS, (moment, "1"), ("report-district", "#"))
    assert "report-category" not in heard.prompts
    assert "report-speak" in heard.prompts


@pytest.mark.parametrize("moment", ["report-category", "subject-2"])
def test_danger_key_during_the_categories_counts(asterisk: FakeAsterisk, engine: Engine, moment: str) -> None:
    a_desk(engine)
    assert asterisk.dial(REPORTS, (moment, "0")).prompts[-1] == "operator-now"
    assert registrations(engine)[0].moved_up == 1


def test_key_0_without_help_leads_to_the_operators(asterisk: FakeAsterisk, engine: Engine) -> None:
    heard = asterisk.dial(REPORTS, ("report-category", "0"), ("operator-choice", "2"))
    assert "operator-busy" in heard.prompts
    assert registrations(engine)[0].moved_up == 0


def test_danger_moves_the_existing_place_up_once(asterisk: FakeAsterisk, engine: Engine) -> None:
    a_desk(engine, busy=True)
    asterisk.dial(REPORTS, DANGER)
    asterisk.dial(REPORTS, DANGER)
    (kept,) = [each for each in registrations(engine) if each.number == OWN]
    with reading(engine) as session:
        facts = session.scalars(select(LedgerEntry.fact).order_by(LedgerEntry.id)).all()
        assert facts.count(Fact.MOVED_UP) == kept.moved_up == 1


@pytest.mark.parametrize("why", ["its phone is away", "it takes none", "the line pauses"])
def test_desk_that_takes_nobody_does_not_count_as_present(engine: Engine, why: str) -> None:
    a_desk(engine)
    with writing(engine) as session:
        operators_line = phases.get_operators_line(session)
        session.flush()
        assert direct_routing.is_any_at_work(session)
        desk = session.scalars(select(Desk)).one()
        match why:
            case "its phone is away":
                desk.phone_connected = False
            case "it takes none":
                desk.takes_live = False
            case _:
                operators_line.paused_at = now(session)
        session.flush()
        assert not direct_routing.is_any_at_work(session)
