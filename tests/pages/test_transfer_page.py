"""A desk gives its conversation to another one, which it may ask into it first; and what that one reads."""

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import BreakReason, Callback, Desk, Hearing, Role, User
from db.states import CallbackState
from hotline.callbacks import conversations, serving
from hotline.desks import supervising, transfers
from settings import Settings
from tests.factories import a_callback, a_desk, a_user, written_of
from tests.kit.pages import go, in_state, is_fit
from tests.pages.conftest import OpenAs

PHONE_WIDTH = {"width": 360, "height": 740}


@pytest.fixture
def colleague(engine: Engine) -> int:
    """The desk of somebody who may be given a conversation, before any page is open."""
    with writing(engine) as session:
        desk = a_desk(session)
        a_user(session, desk, "colleague").name = "همکار نمونه"
        return desk.id


def _knows_who_may_take_it(page: Page) -> None:
    expect(page.get_by_test_id("transfer")).to_have_attribute("data-here", "")


def _callback(engine: Engine) -> Callback:
    with reading(engine) as session:
        return session.scalars(select(Callback)).one()


def _is_for_a_thumb(*buttons: Locator) -> None:
    for button in buttons:
        box = button.bounding_box()
        assert box and box["height"] >= 44 and box["width"] >= 44, (button, box)


def test_note_in_hand_goes_with_a_transfer(colleague: int, desk_talks: Page, engine: Engine) -> None:
    desk_talks.get_by_test_id("note").fill("نشانی: خیابان نمونه")
    desk_talks.get_by_test_id("note").press("Escape")
    _knows_who_may_take_it(desk_talks)
    desk_talks.locator("body").press("t")
    expect(desk_talks.get_by_test_id("taker")).to_contain_text("همکار نمونه")
    expect(desk_talks.get_by_test_id("transfer-note")).to_have_value("نشانی: خیابان نمونه")
    desk_talks.get_by_test_id("give").press("Enter")
    in_state(desk_talks, "callback-state", "none")
    given = _callback(engine)
    assert (given.desk_id, given.state) == (colleague, CallbackState.HELD)
    with reading(engine) as session:
        assert written_of(session.get_one(Callback, given.id)) == ["نشانی: خیابان نمونه"]
    desk_talks.reload()
    in_state(desk_talks, "callback-state", "none")


def test_note_of_an_abandoned_transfer_stays_at_the_desk(
    colleague: int, desk_talks: Page, engine: Engine
) -> None:
    note, given = desk_talks.get_by_test_id("note"), desk_talks.get_by_test_id("transfer-note")
    _knows_who_may_take_it(desk_talks)
    desk_talks.get_by_test_id("transfer-ask").click()
    expect(desk_talks.get_by_test_id("consult")).to_be_focused()  # and does not take it from what is written
    given.fill("کوچهٔ دوم")
    given.press("Escape")
    expect(given).to_be_hidden()
    expect(note).to_have_value("کوچهٔ دوم")
    desk_talks.reload()
    note.fill("کوچهٔ دوم، پلاک ۴")
    note.press("Escape")
    _knows_who_may_take_it(desk_talks)
    desk_talks.locator("body").press("t")
    expect(given).to_have_value("کوچهٔ دوم، پلاک ۴")
    given.fill("کوچهٔ سوم")
    desk_talks.get_by_test_id("consult").click()
    expect(desk_talks.get_by_test_id("transfer-state")).to_contain_text("همکار نمونه")
    expect(desk_talks.get_by_test_id("notes")).to_contain_text("کوچهٔ سوم")
    expect(note).to_have_value("")
    desk_talks.get_by_test_id("transfer-ask").click()
    expect(given).to_have_value("")
    given.fill("پلاک ۴")
    desk_talks.get_by_test_id("give").click()
    in_state(desk_talks, "callback-state", "none")
    expect(desk_talks.get_by_test_id("kept-note")).to_be_hidden()
    with reading(engine) as session:
        assert written_of(session.scalars(select(Callback)).one()) == ["کوچهٔ سوم", "پلاک ۴"]


def test_open_transfer_list_follows_breaks_of_desks(colleague: int, desk_talks: Page, engine: Engine) -> None:
    _knows_who_may_take_it(desk_talks)
    desk_talks.locator("body").press("t")
    expect(desk_talks.get_by_test_id("consult")).to_be_focused()
    for reason, there in ((BreakReason.MEAL, 0), (None, 1)):
        with writing(engine) as session:
            serving.take_break(session, session.get_one(Desk, colleague), reason)
        expect(desk_talks.get_by_test_id("taker")).to_have_count(there)


def test_transfer_without_a_free_desk_says_so(desk_talks: Page) -> None:
    desk_talks.get_by_test_id("transfer-ask").click()
    expect(desk_talks.get_by_test_id("transfer-nobody")).to_be_visible()


def test_consultation_on_a_narrow_page_holds_the_citizen(
    colleague: int, desk_talks: Page, engine: Engine
) -> None:
    desk_talks.set_viewport_size(PHONE_WIDTH)
    desk_talks.get_by_test_id("transfer-ask").click()
    expect(desk_talks.get_by_test_id("consult")).to_be_visible()
    is_fit(desk_talks)
    close = desk_talks.get_by_role("dialog").get_by_role("button", name="بستن")
    _is_for_a_thumb(close, desk_talks.get_by_test_id("consult"), desk_talks.get_by_test_id("give"))
    desk_talks.get_by_test_id("consult").click()
    expect(desk_talks.get_by_test_id("transfer")).to_have_attribute("data-here", str(colleague))
    thumb = desk_talks.get_by_test_id("at-thumb")
    back, give = thumb.get_by_test_id("hold"), thumb.get_by_test_id("transfer-ask")
    for each in (back, give):
        expect(each).to_be_in_viewport(ratio=1)
    expect(desk_talks.get_by_test_id("hold")).to_have_count(1)
    expect(desk_talks.get_by_test_id("transfer-ask")).to_have_count(1)
    _is_for_a_thumb(back, give)
    said, bar = (desk_talks.get_by_test_id(name).bounding_box() for name in ("transfer-state", "at-thumb"))
    assert said and bar and said["width"] == bar["width"]
    callback = _callback(engine)
    assert (callback.state, callback.on_hold_at is not None) == (CallbackState.HELD, True)
    with reading(engine) as session:
        desk = session.get_one(Desk, colleague)
        assert (desk.hears_callback_id, desk.hears_how) == (callback.id, Hearing.CONSULT)
    desk_talks.get_by_test_id("transfer-ask").click()
    expect(desk_talks.get_by_test_id("consult")).to_be_hidden()
    desk_talks.get_by_test_id("give").click()
    in_state(desk_talks, "callback-state", "none")
    assert _callback(engine).desk_id == colleague


def test_leaving_colleague_is_shown_while_the_citizen_waits(
    colleague: int, desk_talks: Page, engine: Engine
) -> None:
    desk_talks.get_by_test_id("transfer-ask").click()
    desk_talks.get_by_test_id("consult").click()
    said = desk_talks.get_by_test_id("transfer-state")
    expect(said).to_contain_text("در گفت‌وگوی شماست")
    with writing(engine) as session:
        supervising.stop_by(session, session.get_one(Desk, colleague), who="colleague")
    expect(said).to_contain_text("هنوز منتظر است")
    desk_talks.keyboard.press("Escape")
    desk_talks.get_by_test_id("hold").click()
    expect(desk_talks.get_by_text("هنوز منتظر است")).to_have_count(0)


def test_consulted_desk_reads_who_gives_the_citizen(
    open_as: OpenAs, engine: Engine, settings: Settings
) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    with writing(engine) as session:
        mine = session.scalars(select(User).where(User.desk_id.is_not(None))).one().desk_id or 0
        session.get_one(Desk, mine).phone_connected = True
        callback = a_callback(session, CallbackState.TALKING)
        by = session.get_one(User, callback.user_id)
        transfers.consult(session, callback, mine, "پلاک ۴", settings, by=by, waits=True)
    consulted = page.get_by_test_id("consulted")
    expect(consulted).to_contain_text("تلفن شما در گفت‌وگوی میز")
    expect(consulted).to_contain_text("موسیقی می‌شنود")
    expect(consulted.get_by_test_id("notes")).to_contain_text("پلاک ۴")
    with writing(engine) as session:
        callback = conversations.resume(session, session.get_one(Callback, callback.id), settings)
        callback.state, callback.held_until = CallbackState.TALKING, None
    expect(consulted).to_contain_text("صدای شما را می‌شنود")
    state, following = page.get_by_test_id("callback-state"), page.get_by_test_id("take-next")
    expect(state).to_contain_text("با میز")
    expect(state).not_to_contain_text("آماده")
    expect(following).to_have_attribute("data-variant", "default")
    page.get_by_test_id("leave-desk").click()
    expect(page.get_by_test_id("consulted")).to_be_hidden()
    expect(state).to_contain_text("آماده")
    expect(following).to_have_attribute("data-variant", "filled")
    with writing(engine) as session:
        callback = session.scalars(select(Callback)).one()
        transfers.give(session, callback, mine, "", settings, by=session.get_one(User, callback.user_id))
    in_state(page, "callback-state", "held")
    expect(page.get_by_test_id("callback-state")).to_contain_text("وصل می‌شود")
    expect(page.get_by_test_id("given-by")).to_be_visible()
    with writing(engine) as session:
        callback = session.scalars(select(Callback)).one()
        assert serving.clear_request(session, callback)
        callback.state, callback.held_until = CallbackState.TALKING, None
    page.reload()
    in_state(page, "callback-state", "talking")
    expect(page.get_by_test_id("given-by")).to_be_visible()


def test_transfer_to_an_absent_desk_can_be_taken_back(
    colleague: int, desk_talks: Page, engine: Engine
) -> None:
    mine = _callback(engine).desk_id
    desk_talks.get_by_test_id("transfer-ask").click()
    desk_talks.get_by_test_id("give").click()
    in_state(desk_talks, "callback-state", "none")
    expect(desk_talks.get_by_test_id("given-away")).to_contain_text("نرسیده است")
    desk_talks.locator("body").press("z")
    in_state(desk_talks, "callback-state", "held")
    assert (_callback(engine).desk_id, _callback(engine).state) == (mine, CallbackState.HELD)
    expect(desk_talks.get_by_test_id("given-away")).to_be_hidden()


def test_transfer_that_arrived_offers_no_return(colleague: int, desk_talks: Page, engine: Engine) -> None:
    desk_talks.get_by_test_id("transfer-ask").click()
    desk_talks.get_by_test_id("give").click()
    offered = desk_talks.get_by_test_id("given-away")
    expect(offered).to_be_visible()
    with writing(engine) as session:
        callback = session.scalars(select(Callback)).one()
        assert callback.desk_id == colleague
        assert serving.clear_request(session, callback)
        callback.state, callback.held_until = CallbackState.TALKING, None
    expect(offered).to_be_hidden()


def test_form_on_another_page_leaves_the_call_bar_uncovered(colleague: int, desk_talks: Page) -> None:
    go(desk_talks, "citizens")
    bar = desk_talks.get_by_test_id("call-bar")
    expect(bar.get_by_test_id("transfer")).to_have_attribute("data-here", "")
    bar.get_by_test_id("transfer").click()
    expect(desk_talks.get_by_test_id("taker")).to_be_visible()
    for button in bar.get_by_role("button").all():
        button.click(trial=True)  # which nothing covers
