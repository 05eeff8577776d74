"""Key 0 on another node than the operators' line's: an idle line follows; else the citizen is called back."""

import pytest
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import CallerNow, Desk, Registration, Round
from db.states import RegistrationState
from hotline.callbacks import waiting_callers
from hotline.line import registration
from hotline.nodes import round_affinity
from hotline.rounds import phases
from settings import Settings
from tests import factories as make
from tests.hotline.nodes.conftest import a_node
from tests.ivr.scripts.registering import OWN, registrations
from tests.kit.databases import in_both
from tests.kit.fake_asterisk import CUT, HANG_UP, MUSIC, End, FakeAsterisk, Heard, transactions

START = ("main-menu", "0")
CHANNEL = "1795652838.7"


@pytest.fixture(autouse=True)
def line(engine: Engine, settings: Settings) -> int:
    """The operators' line, at home on another node than the caller's, with a free desk."""
    with writing(engine) as session:
        for name in (settings.node, "other"):
            a_node(session, settings, name)
        desk = make.a_desk(session)
        make.a_user(session, desk)
        desk.takes_live, desk.node, desk.channel = True, "other", "PJSIP/desk"
        line = phases.get_operators_line(session)
        line.node = "other"
        session.flush()
        return line.id


def lives(engine: Engine, line: int) -> str | None:
    with reading(engine) as session:
        return round_affinity.find_node_of_round(session, line)


def the_desk(engine: Engine, **values: object) -> None:
    with writing(engine) as session:
        desk = session.scalars(select(Desk)).one()
        for name, value in values.items():
            setattr(desk, name, value)


@in_both
def test_key_0_with_a_free_desk_elsewhere_moves_the_line(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, line: int
) -> None:
    begun = transactions(engine)
    heard = asterisk.dial(START)
    assert len(begun) <= 3

    (kept,) = registrations(engine)
    assert heard.prompts == ["greeting", "menu-english", "main-menu", "operator-now"]
    assert heard.variables["HOTLINE_STAYS"] == str(kept.id)
    assert lives(engine, line) == settings.node


@in_both
def test_key_0_without_a_free_desk_elsewhere_makes_a_callback(
    asterisk: FakeAsterisk, engine: Engine, line: int
) -> None:
    the_desk(engine, phone="sip")
    heard = asterisk.dial(START)

    (kept,) = registrations(engine)
    assert heard.prompts == ["greeting", "menu-english", "main-menu", "operator-registered", "goodbye"]
    assert heard.said("operator-registered", ticket=kept.ticket)
    assert "HOTLINE_STAYS" not in heard.variables
    assert lives(engine, line) == "other"


def test_restarted_script_keeps_the_moved_line(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, line: int
) -> None:
    asterisk.dial(START, ("operator-now", CUT), channel_id="17.1")
    heard = asterisk.dial(("operator-choice", "1"), channel_id="17.1", again="fa")

    (kept,) = registrations(engine)
    assert heard.prompts == ["operator-busy", "ahead-none", "operator-choice"], "the desk is on its way"
    assert heard.variables["HOTLINE_STAYS"] == str(kept.id)
    assert lives(engine, line) == settings.node


def test_key_0_behind_another_moves_the_line_and_offers_a_choice(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, line: int
) -> None:
    with writing(engine) as session:
        make.a_registration(session, session.get_one(Round, line))
    heard = asterisk.dial(START, ("operator-choice", "1"))

    assert heard.said("ahead-some", ahead=1)
    assert heard.variables["HOTLINE_STAYS"] == str(registrations(engine)[-1].id)
    assert lives(engine, line) == settings.node


def test_refused_caller_moves_no_line(
    asterisk: FakeAsterisk, engine: Engine, line: int, settings: Settings
) -> None:
    with writing(engine) as session:
        for _ in range(settings.registrations_per_day):
            make.a_registration(
                session, session.get_one(Round, line), number=OWN, state=RegistrationState.REACHED
            )
    assert asterisk.dial(START).prompts[-2:] == ["too-many-today", "goodbye"]
    asterisk.dial(START, ("ask-number", "09137654321#"), ("confirm-number", "1"), caller_id="")
    assert lives(engine, line) == "other"


# --- on the line, and the desk's phone does not come ---


@pytest.fixture
def place(engine: Engine, settings: Settings, line: int) -> int:
    """The place of a caller whom the line has followed; the desk's page is closed."""
    the_desk(engine, phone_connected=False, channel=None)
    with writing(engine) as session:
        session.get_one(Round, line).node = settings.node
        session.add(CallerNow(channel=CHANNEL, number=OWN, since=now(session), node=settings.node))
        return registration.register(session, round_id=line, number=OWN, tell=False).registration_id


def waits(asterisk: FakeAsterisk, place: int, *steps: tuple[str, str | End]) -> Heard:
    return asterisk.dial(*steps, script="on-the-line", argument=str(place), channel_id=CHANNEL)


@in_both
def test_desk_that_never_comes_frees_the_line_and_calls_back(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, place: int, line: int
) -> None:
    heard = waits(asterisk, place)

    assert heard.prompts.count(MUSIC) == settings.line_wait_minutes * 2
    assert heard.prompts[2:5] == ["ahead-none", "operator-press-two", MUSIC], (
        "after half a minute they hear it"
    )
    assert heard.prompts[-3:] == ["wait-too-long", "operator-registered", "goodbye"]
    with reading(engine) as session:
        assert session.get_one(Registration, place).state is RegistrationState.WAITING
        assert waiting_callers.find(session, place) is None
    assert lives(engine, line) is None, "the desk may go back where it was"


@pytest.mark.parametrize("deed", ["2", HANG_UP, CUT])
def test_caller_who_leaves_an_absent_desk_frees_the_line(
    asterisk: FakeAsterisk, engine: Engine, place: int, line: int, deed: str | End
) -> None:
    waits(asterisk, place, (MUSIC, deed))

    with reading(engine) as session:
        assert waiting_callers.find(session, place) is None
        assert session.get_one(Registration, place).state is RegistrationState.WAITING
    assert lives(engine, line) is None


def test_caller_who_leaves_a_present_desk_keeps_the_line(
    asterisk: FakeAsterisk, engine: Engine, settings: Settings, place: int, line: int
) -> None:
    the_desk(engine, phone_connected=True, channel="PJSIP/desk", node=settings.node)
    waits(asterisk, place, (MUSIC, HANG_UP))

    assert lives(engine, line) == settings.node


@in_both
def test_line_moved_away_meanwhile_is_told_at_once(
    asterisk: FakeAsterisk, engine: Engine, place: int, line: int
) -> None:
    with writing(engine) as session:
        session.get_one(Round, line).node = "other"
    heard = waits(asterisk, place)

    assert heard.prompts == ["operator-registered", "goodbye"]
    with reading(engine) as session:
        assert waiting_callers.find(session, place) is None
        assert session.get_one(Registration, place).state is RegistrationState.WAITING
    assert lives(engine, line) == "other"
