"""A desk calls a third person into its conversation, by keyboard and on a telephone's width."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Callback, Guest
from db.states import CallbackState, GuestEnd, GuestState
from hotline.callbacks import guests
from tests.factories import a_department
from tests.kit.pages import is_fit

PHONE_WIDTH = {"width": 360, "height": 740}


@pytest.fixture
def department(engine: Engine) -> None:
    """One that has a telephone, before any page is open."""
    with writing(engine) as session:
        department = a_department(session)
        department.name_fa, department.number = "ادارهٔ آب", "+983132212345"


@pytest.fixture
def talk(department: None, desk_talks: Page) -> Page:
    """An operator's page in a conversation, in a city with a department that has a telephone."""
    return desk_talks


def guest_of(engine: Engine) -> Guest:
    with reading(engine) as session:
        return session.scalars(select(Guest)).one()


def comes(engine: Engine, act: Callable[..., None], *what: object) -> None:
    """What the dialer would write."""
    token = guest_of(engine).token
    with writing(engine) as session:
        act(session, token, *what)


def test_given_a_conversation_when_a_department_is_called_by_keyboard_then_the_page_says_how_far_it_is(
    talk: Page, engine: Engine
) -> None:
    expect(talk.get_by_test_id("guest-ask")).to_be_visible()
    talk.keyboard.press("x")
    talk.get_by_test_id("guest-find").fill("آب")
    expect(talk.get_by_test_id("guest-department")).to_have_count(1)
    talk.get_by_test_id("guest-find").press("Enter")
    expect(talk.get_by_test_id("guest")).to_have_attribute("data-state", "asked")
    expect(talk.get_by_test_id("guest-state")).to_contain_text("ادارهٔ آب")
    comes(engine, guests.came, GuestState.DIALING)
    comes(engine, guests.came, GuestState.RINGING)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("زنگ می‌خورد")
    comes(engine, guests.came, GuestState.TALKING)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("در گفت‌وگو است")
    expect(talk.get_by_test_id("guest-find")).to_be_hidden()
    talk.keyboard.press("x")
    expect(talk.get_by_test_id("guest-end")).to_contain_text("پایان می‌یابد")
    comes(engine, guests.ended)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("پایان داده شد")


def test_given_a_telephone_when_a_number_is_typed_after_the_citizen_then_they_wait_and_a_voicemail_is_named(
    talk: Page, engine: Engine
) -> None:
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
    comes(engine, guests.came, GuestState.DIALING)
    comes(engine, guests.came, GuestState.ANSWERED)
    comes(engine, guests.will_end, GuestEnd.NOT_CONFIRMED)
    comes(engine, guests.ended)
    expect(talk.get_by_test_id("guest-state")).to_contain_text("پیام‌گیر")
    is_fit(talk)
    expect(talk.get_by_test_id("guest-ask")).to_be_enabled()
