"""Sound quality on the pages, and their words about telephones that are not the browser's."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, select

from db.engine import now, writing
from db.models import Callback, Desk, Recording, Role, Round, User
from db.states import CallbackState, Outcome
from tests.factories import a_callback, a_quality, a_round
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs


@pytest.fixture
def measured(engine: Engine) -> Callback:
    """A conversation of a recorded round, in which words were lost."""
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.ENDED)
        callback.state, callback.outcome = CallbackState.CLOSED, Outcome.REACHED
        callback.called_at = callback.talking_at
        callback.ended_at = at = now(session)
        session.get_one(Round, callback.round_id).recorded = True
        session.add(a_quality(callback.id, 2.5, at))
        session.add(Recording(callback_id=callback.id, file="f.wav", sha256="0" * 64, seconds=0, made_at=at))
        return callback


def test_bad_sound_is_shown_on_its_round_and_citizen(open_as: OpenAs, measured: Callback) -> None:
    said = "کیفیت صدا بد (۲٫۵ از ۵)"
    page = open_as(Role.SUPERVISOR, f"rounds/{measured.round_id}")
    expect(page.get_by_test_id("recording")).to_contain_text(said)
    expect(page.get_by_test_id("report")).to_contain_text("میانگین کیفیت صدا۲٫۵ از ۵")
    expect(page.get_by_test_id("report")).to_contain_text("سهم گفت‌وگوهای بدصدا۱۰۰٪")
    is_fit(page)
    page.goto(
        page.url.replace(f"rounds/{measured.round_id}", f"citizens/registration/{measured.registration_id}")
    )
    call = page.locator("[data-testid=entry][data-kind=call]")
    expect(call).to_contain_text(said)
    is_fit(page)


def test_desk_with_a_sip_phone_offers_no_sound_check(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
    page = open_as(Role.OFFICIAL, "official", at_desk=True)
    with writing(engine) as session:
        session.scalars(select(User).where(User.role == Role.OFFICIAL)).one().official_id = round_.official_id
    page.reload()
    expect(page.get_by_test_id("check-phone")).to_be_enabled()
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == Role.OFFICIAL)).one()
        session.get_one(Desk, user.desk_id).phone = "sip"
    page.reload()
    expect(page.get_by_test_id("check-not-here")).to_be_visible()
    expect(page.get_by_test_id("check-phone")).to_have_count(0)
    page.get_by_test_id("phone-settings").click()
    expect(page.get_by_role("dialog").get_by_test_id("check-not-here")).to_be_visible()
    is_fit(page)
