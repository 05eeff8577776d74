"""The pages when a session ends, a desk is cut off, an end is undone, «next» comes early."""

import re
from datetime import timedelta
from typing import Protocol

import pyotp
import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import Engine, select

from db import events
from db.engine import now, reading, writing
from db.models import Callback, Desk, Role, Round, SignIn, User
from db.states import CallbackState, Outcome, RegistrationState
from hotline.callbacks import cut_conversations, transitions
from hotline.people import second_factor, sign_ins
from settings import Settings
from tests.factories import MINUTE, PASSWORD, a_callback, a_user
from tests.kit.pages import in_state, is_fit
from tests.kit.process import until
from tests.pages.conftest import OpenAs


class BeginTalk(Protocol):
    def __call__(
        self, language: str = "fa", state: CallbackState = CallbackState.TALKING, since: int = 0
    ) -> tuple[Page, int]: ...


@pytest.fixture
def talk(open_as: OpenAs, engine: Engine) -> BeginTalk:
    """An official's page at a desk that serves a round, in conversation since so many seconds."""

    def begin(
        language: str = "fa", state: CallbackState = CallbackState.TALKING, since: int = 0
    ) -> tuple[Page, int]:
        page = open_as(Role.OFFICIAL, "official", at_desk=True, language=language)
        with writing(engine) as session:
            user = session.scalars(select(User).where(User.role == Role.OFFICIAL)).one()
            callback = a_callback(session, CallbackState.TALKING, user)
            at = now(session) - timedelta(seconds=since)
            callback.called_at = callback.placed_at = callback.confirmed_at = callback.talking_at = at
            session.get_one(Desk, user.desk_id).round_id = callback.round_id
            user.official_id = session.get_one(Round, callback.round_id).official_id
            callback.state = state
            callback.held_until = at + timedelta(seconds=60) if state is CallbackState.HELD else None
        page.reload()
        return page, callback.id

    return begin


def _state(engine: Engine, callback_id: int) -> CallbackState:
    with reading(engine) as session:
        return session.get_one(Callback, callback_id).state


def _end_sessions(engine: Engine) -> User:
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.desk_id.is_not(None))).one()
        sign_ins.end_sessions(session, user.id)
        return user


@pytest.mark.parametrize(("language", "word"), [("fa", "پشت خط"), ("en", "on the line")])
def test_live_caller_is_marked_on_the_officials_page(
    talk: BeginTalk, engine: Engine, language: str, word: str
) -> None:
    page, callback_id = talk(language)
    in_state(page, "serving-state", "talking")
    expect(page.get_by_test_id("on-the-line")).to_have_count(0)
    with writing(engine) as session:
        session.get_one(Callback, callback_id).on_the_line = True
    page.reload()
    expect(page.get_by_test_id("serving-state")).to_contain_text(word)
    is_fit(page)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_expired_session_asks_the_password_without_losing_words(
    open_as: OpenAs, engine: Engine, language: str
) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True, language=language)
    with writing(engine) as session:
        a_callback(session, CallbackState.ENDED, session.scalars(select(User)).one())
    page.reload()
    page.get_by_test_id("note").fill("فردا")
    page.evaluate("window.__same = true")
    username = _end_sessions(engine).username

    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(page.get_by_test_id("password")).to_be_focused()
    expect(page.get_by_test_id("username")).to_have_value(username)
    expect(page.get_by_test_id("username")).not_to_be_editable()
    expect(page.get_by_test_id("connection-lost")).to_be_hidden()
    is_fit(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_test_id("problem")).to_be_visible()
    page.get_by_test_id("password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_test_id("note")).to_have_value("فردا")
    with writing(engine) as session:  # the page lives on: what changes is seen
        transitions.move(
            session,
            session.scalars(select(Callback)).one().token,
            CallbackState.CLOSED,
            outcome=Outcome.REACHED,
        )
    in_state(page, "callback-state", "closed")
    assert page.evaluate("window.__same")
    said = page.context.complaints  # type: ignore[attr-defined]
    said[:] = [one for one in said if "403" not in one]  # of the wrong password; told some time later


def test_expired_session_asks_the_second_factor_too(
    open_as: OpenAs, engine: Engine, settings: Settings
) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    page.evaluate("window.__same = true")
    with writing(engine) as session:
        begun = session.scalars(select(SignIn)).one()
        totp = pyotp.parse_uri(second_factor.offer(begun, settings))
        assert isinstance(totp, pyotp.TOTP)
        recovery = second_factor.confirm(session, begun, totp.now(), settings)
    _end_sessions(engine)
    page.get_by_test_id("password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("code")).to_be_focused()
    is_fit(page)
    page.get_by_test_id("code").fill(recovery[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("window.__same")


def test_sign_in_of_another_person_takes_over_the_page(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    _end_sessions(engine)
    expect(page.get_by_role("dialog")).to_be_visible()
    with writing(engine) as session:
        other = a_user(session)
        other.role = Role.AUDITOR
    second = page.context.new_page()
    second.goto(page.url.replace("/desk", "/"))
    second.get_by_test_id("username").fill(other.username)
    second.get_by_test_id("password").fill(PASSWORD)
    second.get_by_test_id("submit").click()
    second.get_by_test_id("sign-out").wait_for()
    expect(page).to_have_url(second.url)
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_next_in_a_young_conversation_must_be_confirmed(talk: BeginTalk, engine: Engine) -> None:
    page, callback_id = talk(since=-60)  # young for as long as all of this takes
    in_state(page, "serving-state", "talking")
    page.evaluate(_TWICE_AT_ONCE)  # faster than on purpose
    expect(page.get_by_test_id("confirm-next")).to_be_visible()
    is_fit(page)
    expect(page.get_by_test_id("confirm-next")).to_be_hidden()  # thought better of it
    assert _state(engine, callback_id) is CallbackState.TALKING

    assert page.get_by_test_id("next").evaluate(_ONCE_AND_AGAIN) == "asked"
    until(lambda: _state(engine, callback_id) is CallbackState.PARTING, "said twice")
    _may_be_undone(engine, callback_id)
    page.get_by_test_id("undo").click()
    until(lambda: _state(engine, callback_id) is CallbackState.HELD, "undone")
    _talks_again(engine, callback_id)
    in_state(page, "serving-state", "talking")

    page.evaluate(_NOTES_HOLDS)
    page.keyboard.down("n")
    until(lambda: _state(engine, callback_id) is CallbackState.PARTING, "held for a second")
    page.keyboard.up("n")
    assert "holding" in page.evaluate("window.__holds")


_TWICE_AT_ONCE = """() => {
  for (const type of ['keydown', 'keyup', 'keydown', 'keyup'])
    document.body.dispatchEvent(new KeyboardEvent(type, { code: 'KeyN', key: 'n', bubbles: true }));
}"""
_ONCE_AND_AGAIN = """async (next) => {
  const press = () => ['pointerdown', 'pointerup'].forEach((type) =>
    next.dispatchEvent(new PointerEvent(type, { button: 0, bubbles: true })));
  press();
  await new Promise((later) => setTimeout(later, 1_000));
  const { hold } = next.dataset;
  press();
  return hold;
}"""
"""Returns the text between two presses; in the page, as a busy machine would delay the second."""
_NOTES_HOLDS = """
  window.__holds = [];
  const next = document.querySelector('[data-testid="next"]');
  new MutationObserver(() => window.__holds.push(next.dataset.hold)).observe(next, { attributes: true });
"""


def _may_be_undone(engine: Engine, callback_id: int) -> None:
    """For a minute more: a look at the page takes no time of the five seconds."""
    with writing(engine) as session:
        parting = session.get_one(Callback, callback_id)
        parting.parting_at = now(session) + MINUTE
        events.append_callback(session, parting)


def test_next_in_an_old_conversation_ends_it_undoably(talk: BeginTalk, engine: Engine) -> None:
    page, callback_id = talk(language="en", since=40)
    in_state(page, "serving-state", "talking")
    page.keyboard.press("n")
    parting = page.get_by_test_id("parting")
    expect(parting).to_contain_text(re.compile(r"still on the line.*Undo \([1-5]\)"))
    _may_be_undone(engine, callback_id)
    expect(parting).to_contain_text(re.compile(r"Undo \(\d\d\)"))
    is_fit(page)
    page.keyboard.press("z")
    until(lambda: _state(engine, callback_id) is CallbackState.HELD, "undone")
    expect(parting).to_be_hidden()


@pytest.mark.parametrize(("language", "words"), [("fa", "پشت خط است"), ("en", "on the line")])
def test_held_citizens_wait_is_shown(talk: BeginTalk, engine: Engine, language: str, words: str) -> None:
    page, callback_id = talk(language=language, state=CallbackState.HELD)
    with writing(engine) as session:
        desk_id = session.get_one(Callback, callback_id).desk_id
        desk = session.get_one(Desk, desk_id)
        desk.phone, desk.phone_connected = "sip", False
    page.reload()
    in_state(page, "serving-state", "held")
    expect(page.get_by_test_id("serving-state")).to_contain_text(words)
    expect(page.get_by_test_id("held-left")).to_be_visible()
    expect(page.get_by_test_id("next")).to_be_disabled()
    is_fit(page)
    page.goto(page.url.replace("/official", "/desk"))
    in_state(page, "callback-state", "held")
    expect(page.get_by_test_id("held-left")).to_be_visible()
    is_fit(page)


def test_first_time_shown_of_a_hold_is_right(talk: BeginTalk, settings: Settings) -> None:
    page, _ = talk(language="en", since=40)
    in_state(page, "serving-state", "talking")
    page.evaluate(_NOTES_WHAT_IS_LEFT)
    page.wait_for_function("(opened) => Date.now() > opened + 6000", arg=page.evaluate("Date.now()"))
    page.keyboard.press("q")
    expect(page.get_by_test_id("held-left")).to_be_visible()
    said = page.evaluate("window.__left")
    of_a_clock_s = 3  # the server's time comes in whole seconds, and late on a machine that is busy
    assert int(re.findall(r"\d+", said[0])[0]) <= settings.on_hold_seconds + of_a_clock_s


_NOTES_WHAT_IS_LEFT = """
  window.__left = [];
  new MutationObserver(() => {
    const left = document.querySelector('[data-testid="held-left"]');
    if (left) window.__left.push(left.textContent);
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
"""


def test_key_pressed_during_a_slow_action_runs_after_it(talk: BeginTalk, engine: Engine) -> None:
    page, callback_id = talk(language="en", since=40)
    in_state(page, "serving-state", "talking")
    held: list[Route] = []
    done: list[str] = []
    page.on("response", lambda answer: done.append(answer.url.rpartition("/")[2]))
    page.route("**/pause", lambda route, _request: held.append(route))
    with page.expect_request("**/pause"):
        page.keyboard.press("p")
    expect(page.get_by_test_id("pause")).to_have_attribute("data-loading", "true")
    page.keyboard.press("p")  # the same key once more is the same deed
    page.keyboard.press("n")
    expect(page.get_by_test_id("next")).to_have_attribute("data-loading", "true")
    assert _state(engine, callback_id) is CallbackState.TALKING
    (pause,) = held
    with page.expect_response("**/next"):  # a live event may be ahead of it
        pause.continue_()
    until(lambda: _state(engine, callback_id) is CallbackState.PARTING, "next was not lost")
    expect(page.get_by_test_id("parting")).to_be_visible()
    assert [deed for deed in done if deed in ("pause", "next")] == ["pause", "next"]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_cut_conversation_is_called_again_by_one_key(talk: BeginTalk, engine: Engine, language: str) -> None:
    page, callback_id = talk(language=language, state=CallbackState.HELD)
    held = _cut_off(engine, callback_id)
    expect(page.get_by_test_id("cut-off")).to_be_visible()
    is_fit(page)
    page.keyboard.press("a")
    in_state(page, "serving-state", "connecting")
    expect(page.get_by_test_id("cut-off")).to_be_hidden()
    with reading(engine) as session:
        again = session.scalars(select(Callback).where(Callback.id != callback_id)).one()
        assert (again.state, again.registration_id) == (CallbackState.DIALING, held.registration_id)


def _cut_off(engine: Engine, callback_id: int) -> Callback:
    with writing(engine) as session:
        held = session.get_one(Callback, callback_id)
        held.state, held.outcome, held.ended_at = CallbackState.CLOSED, Outcome.CALL_AGAIN, now(session)
        held.registration.state = RegistrationState.WAITING
        events.append_callback(session, held)
        return held


def test_notice_of_a_cut_call_goes_when_another_begins(
    talk: BeginTalk, engine: Engine, settings: Settings
) -> None:
    page, callback_id = talk(state=CallbackState.HELD)
    _cut_off(engine, callback_id)
    refusal = {"code": "engaged", "detail": ""}
    page.route("**/call-again", lambda route: route.fulfill(status=409, json=refusal))
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_test_id("call-again").click()
    expect(page.get_by_test_id("problem")).to_be_visible()
    button, said = (page.get_by_test_id(name).bounding_box() for name in ("cut-off", "problem"))
    assert button and said
    assert 0 <= said["y"] - (button["y"] + button["height"]) < 40, "it is said where the button is"
    with writing(engine) as session:
        held = session.get_one(Callback, callback_id)
        desk = session.get_one(Desk, held.desk_id)
        cut_conversations.call_again_now(session, held, desk, settings)
    in_state(page, "serving-state", "connecting")
    expect(page.get_by_test_id("problem")).to_have_count(0)


def _talks_again(engine: Engine, callback_id: int) -> None:
    """Report as the dialer does that the citizen is back in the room."""
    with writing(engine) as session:
        token = session.get_one(Callback, callback_id).token
        transitions.move(session, token, CallbackState.TALKING, held_until=None)


def test_hang_up_dropped_by_the_network_is_retried(talk: BeginTalk, engine: Engine) -> None:
    page, callback_id = talk()
    in_state(page, "serving-state", "talking")
    page.route("**/hangup", lambda route: route.abort("connectionreset"), times=1)
    page.get_by_test_id("hangup").click()
    in_state(page, "serving-state", "parting")
    assert _state(engine, callback_id) == CallbackState.PARTING
    expect(page.get_by_test_id("problem")).to_have_count(0)
    page.context.complaints.clear()  # type: ignore[attr-defined]  # Chromium's own, of the dropped press
