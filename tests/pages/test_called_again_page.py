"""«Call again» at night: the desk reads when the citizen will really be called, before anything is saved."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import AuditEntry, Callback, Role, Round, User
from db.states import CallbackState
from hotline.clock import CITY
from hotline.dates import Language, format_day, format_digits
from settings import QuietHours, Settings
from tests.factories import HOUR, MINUTE, a_callback
from tests.kit.pages import DESK, is_fit
from tests.kit.process import until
from tests.pages.conftest import OpenAs

NARROW = {"width": 360, "height": 780}
_AT_BECAUSE = """because => {
    const said = document.querySelector('[data-testid="call-later-help"]')?.dataset
    return said?.because === because && said.at
}"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """It is quiet since an hour ago, and almost until the same time tomorrow."""
    begin = datetime.now(CITY) - HOUR
    return settings.model_copy(
        update={"quiet_hours": QuietHours(begin.time(), (begin - MINUTE).time().replace(second=0))}
    )


def _spoken_with(engine: Engine, *, round_goes_on: timedelta = 40 * HOUR) -> Callback:
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == Role.OPERATOR)).one()
        held = a_callback(session, CallbackState.ENDED, user)
        held.ended_at = now(session)
        session.get_one(Round, held.round_id).ends_at += round_goes_on
        return held


def _told(page: Page, because: str) -> datetime:
    """When the page says that the citizen is called, once the server has said why."""
    said = page.wait_for_function(_AT_BECAUSE, arg=because).json_value()  # both of one moment
    return datetime.fromisoformat(said)


def _is_written(page: Page, at: datetime, language: Language) -> None:
    """In the language's digits and calendar; the time alone today."""
    local = at.astimezone(CITY)
    said = page.get_by_test_id("call-later-help")
    expect(said).to_contain_text(format_digits(f"{local:%H:%M}", language))
    if local.date() != datetime.now(CITY).date():
        expect(said).to_contain_text(format_day(at, language, with_year=False).partition(" ")[2])


_SAYS_AND_SAVES = """(save) => {
  const said = document.querySelector('[data-testid="call-later-help"]').dataset.at;
  save.click();
  return said;
}"""
"""In one moment: the page asks anew now and then, and ten minutes from now are later each time."""


def _saved(page: Page, engine: Engine, held: Callback) -> Callback:
    page.get_by_test_id("save-outcome").click()
    return _closed(engine, held)


def _closed(engine: Engine, held: Callback) -> Callback:
    def closed() -> Callback | None:
        with reading(engine) as session:
            done = session.get_one(Callback, held.id)
            return done if done.state is CallbackState.CLOSED else None

    until(closed, "it is saved")
    done = closed()
    assert done
    return done


def test_retry_that_falls_at_night_shows_its_true_time(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, at_desk=True, language="en")
    held = _spoken_with(engine)
    page.reload()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.get_by_test_id("outcome-call_again").click()
    _is_written(page, _told(page, "quiet-hours"), "en")
    expect(page.get_by_test_id("call-later-agreed")).to_be_hidden()  # no time that could be agreed
    page.get_by_test_id("call-later-ten-minutes").click()
    expect(page.get_by_test_id("call-later-agreed")).to_be_visible()
    told = _told(page, "quiet-hours")
    _is_written(page, told, "en")
    is_fit(page)
    done = _saved(page, engine, held)
    assert done.registration.not_before == told
    assert told - datetime.now(CITY) > 20 * HOUR
    assert not done.agreed


def test_agreed_time_at_night_is_kept_by_one_key(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    held = _spoken_with(engine)
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.reload()
    page.get_by_test_id("outcome-call_again").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("5")
    night = _told(page, "quiet-hours")
    _is_written(page, night, "fa")
    page.keyboard.press("v")
    expect(page.get_by_test_id("call-later-agreed")).to_be_checked()
    told = _told(page, "wished")
    _is_written(page, told, "fa")
    expect(page.get_by_test_id("call-later-help")).to_contain_text("قرار با شهروند ثبت می‌شود")
    is_fit(page)
    page.reload()  # nothing of it is lost
    expect(page.get_by_test_id("call-later-agreed")).to_be_checked()
    _told(page, "wished")
    told = datetime.fromisoformat(page.get_by_test_id("save-outcome").evaluate(_SAYS_AND_SAVES))
    done = _closed(engine, held)
    assert (done.agreed, done.again_at, done.registration.not_before) == (True, told, told)
    assert timedelta(minutes=9) < told - datetime.now(CITY) <= timedelta(minutes=10)
    with reading(engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "call-agreed")).one()
        assert entry.subject == f"callback {held.id}"


def test_retry_after_the_round_names_the_next_round(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    _spoken_with(engine, round_goes_on=HOUR)
    page.reload()
    page.get_by_test_id("outcome-call_again").click()
    page.get_by_test_id("call-later-ten-minutes").click()
    expect(page.get_by_test_id("call-later-help")).to_have_attribute("data-because", "past-end")
    expect(page.get_by_test_id("call-later-help")).to_contain_text("در دور بعدی پیش از دیگران است")
    page.get_by_test_id("call-later-agreed").check()
    _told(page, "wished")
