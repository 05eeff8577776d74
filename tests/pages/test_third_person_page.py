"""A desk calls a third person into its conversation, by keyboard and on a telephone's width."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Callback, Guest, Official, Role, Round, User
from db.states import CallbackState, GuestEnd, GuestState
from hotline.callbacks import third_party
from tests.factories import a_department, an_official
from tests.kit.pages import is_fit, opened
from tests.pages.conftest import OpenAs

PHONE_WIDTH = {"width": 360, "height": 740}
_OVER_THE_EDGE = """(button) => [...button.querySelectorAll('.mantine-Button-label, bdi')]
  .filter((words) => words.scrollWidth > words.clientWidth + 1).map((words) => words.innerText)"""


@pytest.fixture
def deputy(engine: Engine) -> Official:
    """Has a telephone, as a department has, and another official has none, before any page is open."""
    with writing(engine) as session:
        department = a_department(session)
        department.name_fa, department.number = "ادارهٔ آب", "+983132212345"
        silent, deputy = an_official(session), an_official(session)
        silent.office_fa, silent.office_en = "معاون خدمات شهری", "Deputy for Urban Services"
        deputy.office_fa, deputy.office_en = (
            "معاون مالی و اقتصادی",
            "Deputy for Financial and Economic Affairs",
        )
        deputy.number = "+983132219998"
        return deputy


@pytest.fixture
def talk(deputy: Official, desk_talks: Page) -> Page:
    """An operator's page in a conversation, in a city where two can be called by name."""
    return desk_talks


def guest_of(engine: Engine) -> Guest:
    with reading(engine) as session:
        return session.scalars(select(Guest)).one()


def comes(engine: Engine, act: Callable[..., None], *what: object) -> None:
    """Write as the dialer would."""
    token = guest_of(engine).token
    with writing(engine) as session:
        act(session, token, *what)


def test_called_department_shows_its_progress(talk: Page, engine: Engine) -> None:
    expect(talk.get_by_test_id("guest-ask")).to_be_visible()
    talk.keyboard.press("x")
    talk.get_by_test_id("guest-find").fill("آب")
    expect(talk.get_by_test_id("guest-found")).to_have_count(1)
    talk.get_by_test_id("guest-find").press("Enter")
    expect(talk.get_by_test_id("guest")).to_have_attribute("data-state", "asked")
    expect(talk.get_by_test_id("guest-state")).to_contain_text("ادارهٔ آب")
    comes(engine, third_party.record_state, GuestState.DIALING)
    comes(engine, third_party.record_state, GuestState.RINGING)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("زنگ می‌خورد")
    comes(engine, third_party.record_state, GuestState.TALKING)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("در گفت‌وگو است")
    expect(talk.get_by_test_id("guest-find")).to_be_hidden()
    talk.keyboard.press("x")
    expect(talk.get_by_test_id("guest-end")).to_contain_text("پایان می‌یابد")
    comes(engine, third_party.record_end)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("پایان داده شد")
    with writing(engine) as session:
        session.get_one(Guest, guest_of(engine).id).ended_at = now(session) - timedelta(minutes=2)
    talk.reload()
    expect(talk.get_by_test_id("guest-ask")).to_be_visible()
    expect(talk.get_by_test_id("guest-state")).to_be_empty()


@pytest.mark.parametrize(
    ("language", "part", "name"),
    [
        ("fa", "اقتصادی", "معاون مالی و اقتصادی"),
        ("en", "economic", "Deputy for Financial and Economic Affairs"),
    ],
)
def test_called_official_is_named_on_a_narrow_page(
    talk: Page, engine: Engine, deputy: Official, language: str, part: str, name: str
) -> None:
    if language == "en":
        talk.get_by_test_id("language").click()
        expect(talk.get_by_test_id("guest-ask")).to_contain_text("Third person")
    talk.set_viewport_size(PHONE_WIDTH)
    expect(talk.get_by_test_id("guest-ask")).to_be_visible()
    talk.keyboard.press("x")
    found = talk.get_by_test_id("guest-found")
    expect(found).to_have_count(2)
    expect(talk.get_by_test_id("guest-find")).to_be_focused()
    talk.keyboard.type(part)
    expect(found).to_have_count(1)
    expect(found).to_contain_text(name)
    assert found.evaluate(_OVER_THE_EDGE) == []
    is_fit(talk)
    talk.keyboard.press("Enter")
    expect(talk.get_by_test_id("guest")).to_have_attribute("data-state", "asked")
    expect(talk.get_by_test_id("guest-state")).to_contain_text(name)
    guest = guest_of(engine)
    assert (guest.official_id, guest.number) == (deputy.id, "+983132219998")
    is_fit(talk)


def test_official_cannot_call_themselves_as_third_person(
    talk: Page, engine: Engine, deputy: Official
) -> None:
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.desk_id.is_not(None))).one()
        user.role, user.official_id = Role.OFFICIAL, deputy.id
        session.get_one(Round, session.scalars(select(Callback)).one().round_id).substitute_id = deputy.id
    talk.reload()
    expect(talk.get_by_test_id("guest-ask")).to_be_visible()
    talk.keyboard.press("x")
    expect(talk.get_by_test_id("guest-found")).to_have_count(1)
    expect(talk.get_by_test_id("guest-found")).to_contain_text("ادارهٔ آب")


def test_official_number_is_kept_from_a_narrow_page(
    open_as: OpenAs, engine: Engine, deputy: Official
) -> None:
    page = open_as(Role.PUBLIC_RELATIONS, "officials")
    page.set_viewport_size(PHONE_WIDTH)
    change = (
        page.get_by_test_id("official").filter(has_text=deputy.office_fa).get_by_test_id("change-official")
    )
    change.press("Enter")
    number = page.get_by_test_id("number")
    opened(page)
    expect(number).to_have_value("03132219998")
    number.fill("۱۲")
    number.press("Enter")
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(number).to_be_focused()
    is_fit(page)
    number.fill("۰۳۱۳۲۲۱۹۹۹۷")
    number.press("Enter")
    expect(number).to_be_hidden()
    with reading(engine) as session:
        assert session.get_one(Official, deputy.id).number == "+983132219997"
    change.press("Enter")
    expect(number).to_have_value("03132219997")


def test_typed_number_holds_the_citizen_and_names_voicemail(talk: Page, engine: Engine) -> None:
    talk.set_viewport_size(PHONE_WIDTH)
    talk.get_by_test_id("guest-ask").click()
    talk.get_by_test_id("guest-find").fill("۰۳۱۳۲۲۱۹۹۹۹")
    talk.get_by_test_id("guest-first").check()
    is_fit(talk)
    talk.get_by_test_id("guest-call-number").click()
    expect(talk.get_by_test_id("guest")).to_have_attribute("data-state", "asked")
    with reading(engine) as session:
        callback = session.scalars(select(Callback)).one()
        assert (callback.state, callback.on_hold_at is not None) == (CallbackState.HELD, True)
    assert guest_of(engine).number == "+983132219999"
    comes(engine, third_party.record_state, GuestState.DIALING)
    comes(engine, third_party.record_state, GuestState.ANSWERED)
    comes(engine, third_party.record_end_reason, GuestEnd.NOT_CONFIRMED)
    comes(engine, third_party.record_end)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("پیام‌گیر")
    is_fit(talk)
    expect(talk.get_by_test_id("guest-ask")).to_be_enabled()
