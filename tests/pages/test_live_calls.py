"""A desk that takes live calls: the switch, a word for who waits on the line, the wall; both languages."""

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import Callback, Desk, Role
from db.states import CallbackState
from hotline.callbacks import direct_routing, transitions, waiting_callers
from hotline.line import registration
from hotline.rounds import phases
from tests.factories import a_number, a_round
from tests.kit.pages import is_fit
from tests.kit.process import until
from tests.pages.conftest import OpenAs

CHANNEL = "1795652838.7"
WORDS = {
    "fa": ("پشت خط", "تماس زنده می‌پذیرم", "شهروند پشت خط منتظر است"),
    "en": ("on the line", "I take live calls", "The citizen waits on the line"),
}

TONES = """() => {
  localStorage.setItem('hotline137.device.ring', 'bell');
  AudioContext.prototype.setSinkId = async function (id) { this.__on = id; };
  const { start } = OscillatorNode.prototype;
  window.__tones = [];
  OscillatorNode.prototype.start = function (...when) {
    window.__tones.push(this.context.__on);
    return start.apply(this, when);
  };
}"""
"""The ring has a device of its own; what sounds from now on, and where."""


def stays(engine: Engine) -> int:
    """Somebody waits for an operator on the line, and somebody behind is called back; the place."""
    with writing(engine) as session:
        line_id = phases.get_operators_line(session).id
        first, _ = (
            registration.register(session, round_id=line_id, number=a_number(), tell=False).registration_id
            for _ in range(2)
        )
        assert waiting_callers.record_waiting(session, first, CHANNEL)
        return first


def said(engine: Engine) -> bool | None:
    with reading(engine) as session:
        return session.scalars(select(Desk.takes_live)).one()


def on(page: Page, *, on: bool = True) -> None:
    expect(page.get_by_test_id("takes-live")).to_be_checked(checked=on)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_waiting_caller_is_shown_at_the_operators_line(
    open_as: OpenAs, engine: Engine, language: str
) -> None:
    word, switch, help_ = WORDS[language]
    place = stays(engine)
    page = open_as(Role.OPERATOR, "desk", language=language, at_desk=True)
    on(page)  # by itself: an operator, ready, at this line
    expect(page.get_by_text(switch)).to_be_visible()
    rows = page.get_by_test_id("line-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(word)
    expect(rows.last).not_to_contain_text(word)
    is_fit(page)

    page.keyboard.press("o")
    on(page, on=False)
    until(lambda: said(engine) is False, "said")  # the page shows the wish at once
    page.reload()
    on(page, on=False)  # what the desk has said, stays said

    page.keyboard.press("n")
    expect(page.get_by_test_id("on-the-line")).to_have_text(word)
    expect(page.get_by_test_id("callback-state")).to_contain_text(help_)
    is_fit(page)
    with writing(engine) as session:
        waiting_callers.leave(session, CHANNEL)  # hangs up
    expect(page.get_by_test_id("on-the-line")).to_have_count(0)
    with reading(engine) as session:
        callback = transitions.find_by_registration(session, place)
        assert callback and callback.state is CallbackState.CLAIMED


def test_assigned_live_call_appears_by_itself(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    with writing(engine) as session:
        phases.get_operators_line(session)
    page.reload()
    on(page)
    until(lambda: said(engine) is True, "said")
    page.evaluate(TONES)
    stays(engine)
    with writing(engine) as session:
        assert direct_routing.give(session, may_dial=True)
        callback = session.scalars(select(Callback)).one()
        callback.on_the_line = True
        transitions.move(session, callback.token, CallbackState.WAITING)
    expect(page.get_by_test_id("callback-state")).to_have_attribute("data-state", "waiting")
    expect(page.get_by_test_id("callback-state")).to_contain_text("به تلفن شما وصل می‌شود")
    expect(page.get_by_test_id("on-the-line")).to_be_visible()
    assert page.evaluate("window.__tones") == ["bell", "bell"]  # it rang once
    page.get_by_test_id("phone-settings").click()
    page.get_by_test_id("try-ring").click()
    assert page.evaluate("window.__tones") == ["bell"] * 4
    is_fit(page)


def test_other_line_receives_no_live_calls(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        line_id, other = phases.get_operators_line(session).id, a_round(session).id
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    choice = page.get_by_test_id("round-select")
    expect(choice).to_have_value(str(other))  # the one that is live
    expect(page.get_by_test_id("takes-live")).to_have_count(0)
    assert said(engine) is None
    choice.select_option(str(line_id))
    on(page)
    choice.select_option(str(other))
    expect(page.get_by_test_id("takes-live")).to_have_count(0)
    until(lambda: said(engine) is None, "the desk takes no live calls any more")
    choice.select_option(str(line_id))
    on(page)


def test_supervisor_confirms_before_taking_live_calls(open_as: OpenAs, engine: Engine) -> None:
    with writing(engine) as session:
        phases.get_operators_line(session)
    page = open_as(Role.SUPERVISOR, "desk", at_desk=True)
    on(page, on=False)
    page.get_by_test_id("takes-live").focus()
    held: list[Route] = []
    page.route("**/desk/live-calls", lambda route: held.append(route), times=1)  # noqa: PLW0108  (Playwright marks it)
    with page.expect_request("**/desk/live-calls"):
        page.keyboard.press("Space")
    on(page)
    page.keyboard.press("Space")  # the last wish holds, although the first is still on its way
    on(page, on=False)
    with page.expect_response(lambda answer: answer.request.post_data_json == {"takes": False}):
        held[0].continue_()
    assert said(engine) is False
    on(page, on=False)
    page.keyboard.press("Space")
    on(page)
    until(lambda: said(engine) is True, "said")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_wall_shows_how_many_callers_wait_and_how_long(
    open_as: OpenAs, url: str, engine: Engine, language: str
) -> None:
    stays(engine)
    page = open_as(Role.OPERATOR, language=language)
    page.goto(f"{url}/wallboard")
    operators_line = page.get_by_test_id("line").first
    number = operators_line.locator("dl > div").filter(has_text=WORDS[language][0])
    expect(number).to_contain_text("۱" if language == "fa" else "1")
    expect(page.get_by_test_id("longest").locator("dd").first).to_contain_text(":")
    is_fit(page)
