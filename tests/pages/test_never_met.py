"""No page offers «reached» for a citizen with whom nobody spoke."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Desk, Role, Round, User
from db.states import CallbackState, Outcome
from tests.factories import a_callback
from tests.kit.pages import is_fit
from tests.pages.conftest import OpenAs

MAY_BE_SAID = ["call_again", "refused", "wrong_number"]


def _never_met(session: Session, user: User | None = None) -> Callback:
    """A call that ended before the citizen and the desk came together."""
    callback = a_callback(session, CallbackState.ENDED, user)
    callback.called_at, callback.ended_at, callback.talking_at = now(session), now(session), None
    session.get_one(Desk, callback.desk_id).round_id = callback.round_id
    return callback


@pytest.mark.parametrize(("role", "path"), [(Role.OPERATOR, "desk"), (Role.OFFICIAL, "official")])
def test_never_connected_call_offers_its_desk_valid_outcomes(
    open_as: OpenAs, engine: Engine, role: Role, path: str
) -> None:
    page = open_as(role, path, at_desk=True)
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == role)).one()
        callback = _never_met(session, user)
        if role is Role.OFFICIAL:
            user.official_id = session.get_one(Round, callback.round_id).official_id
    page.reload()
    expect(page.get_by_test_id("outcome-call_again")).to_be_visible()
    assert _offered(page) == [f"outcome-{one}" for one in MAY_BE_SAID]
    is_fit(page)
    if role is Role.OPERATOR:
        expect(page.get_by_test_id("callback-state")).not_to_contain_text("گفت‌وگو پایان یافت")
        page.keyboard.press("1")  # the key of what is not offered
        expect(page.get_by_test_id("save-outcome")).to_be_disabled()
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("callback-state")).to_have_attribute("data-outcome", "refused")
        with reading(engine) as session:
            assert session.get_one(Callback, callback.id).outcome is Outcome.REFUSED


def _offered(page: Page) -> list[str]:
    found = page.locator('[data-testid^="outcome-"]').all()
    return [one.get_attribute("data-testid") or "" for one in found]


@pytest.mark.parametrize("path", ["desks", "control"])
def test_never_connected_call_offers_supervisors_valid_outcomes(
    open_as: OpenAs, engine: Engine, path: str
) -> None:
    with writing(engine) as session:
        callback = _never_met(session)
    page = open_as(Role.SUPERVISOR, path)
    page.get_by_test_id("say-outcome").click()
    choice = page.get_by_test_id("said-outcome")
    choice.wait_for()
    assert choice.locator("option").evaluate_all("all => all.map(one => one.value)") == MAY_BE_SAID
    page.get_by_test_id("reason").fill("اپراتور رفته است")
    with page.expect_response("**/outcome") as answer:
        page.get_by_test_id("confirm").click()
    assert answer.value.ok
    with reading(engine) as session:
        assert session.get_one(Callback, callback.id).outcome is Outcome.CALL_AGAIN
