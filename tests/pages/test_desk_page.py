"""The desk's page by keyboard alone, with a long line: the citizen's past and message, calling later."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import AuditEntry, Callback, Registration, Role, Round, User
from db.states import CallbackState, Outcome, RegistrationState
from hotline import heartbeats, numbers
from hotline.callbacks import conversations, transitions
from hotline.line import registration
from hotline.rounds import phases
from settings import Settings
from tests.factories import HOUR, a_callback, a_note, a_registration, a_round, some_registrations, written_of
from tests.kit.pages import DESK, PATIENT, PHONE, in_state, is_fit
from tests.kit.process import until
from tests.kit.recording_files import a_file
from tests.pages.conftest import OpenAs

WAITING = 400


def _citizen(engine: Engine, settings: Settings, state: CallbackState) -> Callback:
    """With whom the operator has just spoken: left a message, and was called by an earlier round."""
    settings.messages_dir.mkdir(parents=True, exist_ok=True)
    a_file(settings.messages_dir, "message", 3)
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == Role.OPERATOR)).one()
        held = a_callback(session, state, user, subject=2, voice_message="message.wav", attempts=1)
        held.talking_at = held.ended_at = now(session)
        past = a_registration(
            session,
            a_round(session),
            number=held.registration.number,
            state=RegistrationState.REACHED,
            registered_at=now(session) - 48 * HOUR,
            subject=5,
        )
        spoken = a_callback(session, CallbackState.CLOSED)
        spoken.registration, spoken.round_id = past, past.round_id
        a_note(session, spoken, "جوی آب", user)
        spoken.called_at = spoken.talking_at = now(session) - 30 * HOUR
        round_ = session.get_one(Round, held.round_id)
        round_.ends_at += 3 * HOUR
        some_registrations(session, round_, WAITING)
        return held


@pytest.mark.core
def test_outcome_is_said_and_kept_by_keys_alone(open_as: OpenAs, engine: Engine, settings: Settings) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    held = _citizen(engine, settings, CallbackState.ENDED)
    page.reload()
    history = page.get_by_test_id("history")
    expect(history).to_contain_text("۱ ثبت‌نام پیشین")
    expect(history).to_contain_text("جوی آب")
    assert _heard(engine) == 0
    page.keyboard.press("j")
    page.wait_for_function("() => document.querySelector('[data-testid=voice-message]').currentTime > 0")
    assert _heard(engine) == 1
    expect(page.get_by_test_id("voice-about")).to_contain_text("۳ ثانیه، به فارسی")
    page.get_by_test_id("sum-up").click()
    page.get_by_test_id("summary").press("Enter")  # what does it say?
    expect(page.get_by_test_id("summary")).to_have_accessible_description("این را بنویسید.")
    page.get_by_test_id("summary").fill("جوی آب کوچه بسته است")
    page.get_by_test_id("summary").press("Enter")
    expect(page.get_by_test_id("voice-summary").get_by_test_id("notes")).to_contain_text(
        "جوی آب کوچه بسته است"
    )

    page.keyboard.press("w")
    page.keyboard.type("n2h؟ فردا زنگ بزنیم")
    expect(page.get_by_test_id("note")).to_have_value("n2h؟ فردا زنگ بزنیم")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.keyboard.press("6")
    page.reload()  # nothing of it is lost
    expect(page.get_by_test_id("note")).to_have_value("n2h؟ فردا زنگ بزنیم")
    expect(page.get_by_test_id("outcome-call_again")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("call-later-an-hour")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("پخش پیام شهروند")
    is_fit(page)
    page.keyboard.press("2")  # only a key of the dialog now
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    is_fit(page)

    page.get_by_test_id("save-outcome").focus()
    page.keyboard.press("Enter")
    mine = page.locator(f'[data-ticket="{held.registration.ticket}"]')
    expect(page.get_by_test_id("take-next")).to_be_enabled()
    with reading(engine) as session:
        done = session.get_one(Callback, held.id)
        due = done.registration.not_before
        assert (done.outcome, written_of(done)) == (Outcome.CALL_AGAIN, ["n2h؟ فردا زنگ بزنیم"])
        assert due and timedelta(minutes=58) < due - now(session) <= timedelta(minutes=60)
    expect(mine).to_contain_text("تماس دوباره از")  # at its own place


def _heard(engine: Engine) -> int:
    with reading(engine) as session:
        return len(
            session.scalars(select(AuditEntry).where(AuditEntry.action == "voice-message-heard")).all()
        )


def test_late_words_of_the_office_move_nothing(open_as: OpenAs, engine: Engine, settings: Settings) -> None:
    page = open_as(Role.OPERATOR, at_desk=True)
    _citizen(engine, settings, CallbackState.ENDED)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.add_init_script(PATIENT)
    late: list[Route] = []
    page.route("**/api/v1/desk-words", lambda route: late.append(route))  # noqa: PLW0108  (Playwright marks it)
    with page.expect_response("**/history"):
        page.reload()
    expect(page.get_by_test_id("note")).to_be_visible()
    below = [page.get_by_test_id(name) for name in ("refer-to-department", "history", "line-fold")]
    for each in below:
        expect(each).to_be_attached()
        expect(each).to_be_hidden()
    page.keyboard.press("d")  # its key is there all the same
    expect(page.get_by_test_id("written")).to_be_visible()
    page.keyboard.press("Escape")
    for route in late:
        route.continue_()
    for each in below:
        expect(each).to_be_visible()


def _to_the_end(page: Page) -> None:
    """Rows in sight are measured: what lies below them may be a little longer than was thought."""
    page.keyboard.press("l")
    rows = page.get_by_role("table").get_attribute("aria-rowcount")

    def there() -> bool:
        page.keyboard.press("End")
        return page.locator(f'[role=row][aria-rowindex="{rows}"][data-ticket]').is_visible()

    until(there, "the end of the line is in sight")


def test_long_line_scrolled_by_keys_keeps_its_places(
    open_as: OpenAs, engine: Engine, settings: Settings
) -> None:
    page = open_as(Role.OPERATOR, at_desk=True, language="en")
    held = _citizen(engine, settings, CallbackState.CLAIMED)
    with page.expect_response("**/api/v1/events"):  # after which all that was asked is asked once more
        page.reload()
    table = page.get_by_role("table")
    expect(table).to_have_attribute("aria-rowcount", str(WAITING + 2))
    rows = page.get_by_test_id("line-row")
    expect(rows.first).to_contain_text("In order of registration")
    assert rows.count() < 60, "only what is in sight is drawn"
    asked: list[str] = []
    page.on("request", lambda request: "/registrations" in request.url and asked.append(request.url))
    _to_the_end(page)
    last = page.locator(f'[role=row][aria-rowindex="{WAITING + 2}"]')
    expect(last).to_contain_text(held.registration.ticket[:3])
    asked.clear()

    with writing(engine) as session:
        number = numbers.parse("09137654321", settings.allowed_prefixes)
        registration.register(session, round_id=held.round_id, number=number, subject=1)
    expect(page.get_by_test_id("line-waiting")).to_have_attribute("data-count", str(WAITING + 1))
    expect(table).to_have_attribute("aria-rowcount", str(WAITING + 3))
    assert len(asked) <= 2, "only what is in sight is asked for again"
    with writing(engine) as session:  # another desk gives a citizen up
        first = session.scalars(
            select(Registration).where(Registration.state == RegistrationState.WAITING).limit(1)
        ).one()
        registration.cancel(session, first.id, office_reason="گم شد")
        assert transitions.find_live_at_desk(session, held.desk_id or 0)
    expect(page.get_by_test_id("line-waiting")).to_have_attribute("data-count", str(WAITING))
    is_fit(page)

    page.keyboard.press("g")
    page.get_by_test_id("use-number").check()
    expect(page.get_by_test_id("no-pin")).to_be_visible()
    page.get_by_test_id("phone-number").fill("0913 765 4321")
    page.get_by_test_id("save-phone").click()
    expect(page.get_by_test_id("problem")).to_contain_text("still has")  # a citizen is in hand
    page.get_by_test_id("use-sip").check()
    page.get_by_test_id("show-account").click()
    expect(page.get_by_test_id("sip-account")).to_contain_text(f"desk-{held.desk_id}-sip")
    is_fit(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("outcome-returned").press("Enter")
    page.get_by_test_id("save-outcome").click()
    expect(page.get_by_test_id("take-next")).to_be_enabled()
    page.keyboard.press("g")
    page.get_by_test_id("use-number").check()
    page.get_by_test_id("phone-number").fill("0913 765 4321")
    page.get_by_test_id("save-phone").click()
    expect(page.get_by_test_id("save-phone")).to_be_hidden()
    page.keyboard.press("Escape")
    with writing(engine) as session:
        heartbeats.record_phone(session, held.desk_id or 0, None)
    expect(page.get_by_test_id("call-my-telephone")).to_be_disabled()  # without a PIN


def test_outcome_and_pause_are_in_sight_after_a_conversation(desk_talks: Page, engine: Engine) -> None:
    with writing(engine) as session:
        callback = session.scalars(select(Callback)).one()
        a_note(session, callback, "شهروند از چالهٔ خیابان نمونه می‌گوید")
        phases.pause(session, session.get_one(Round, callback.round_id))
    for size in (DESK, PHONE):
        desk_talks.set_viewport_size(size)
        expect(desk_talks.get_by_test_id("round-paused")).to_be_in_viewport(ratio=1)
    with writing(engine) as session:
        conversations.hang_up(session, session.get_one(Callback, callback.id))
        transitions.move(session, callback.token, CallbackState.ENDED, ended_at=now(session))
    desk_talks.get_by_test_id("outcome-reached").click()
    for size in (PHONE, DESK):
        desk_talks.set_viewport_size(size)
        box = desk_talks.get_by_test_id("save-outcome").bounding_box()
        assert box and box["height"] >= 40, box
    desk_talks.keyboard.press("n")  # what is said of this one does not wait for the round to go on
    in_state(desk_talks, "callback-state", "closed")
    with reading(engine) as session:
        assert session.get_one(Callback, callback.id).outcome is Outcome.REACHED


def test_paused_round_is_shown_at_a_free_desk(open_as: OpenAs, engine: Engine) -> None:
    page = open_as(Role.OPERATOR, "desk", at_desk=True)
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 3)
    page.reload()
    stands, take_next = page.get_by_test_id("callback-state"), page.get_by_test_id("take-next")
    expect(stands).to_contain_text("۳ نفر در انتظار")
    expect(take_next).to_be_enabled()
    with writing(engine) as session:
        phases.pause(session, session.get_one(Round, round_.id))
    expect(stands).to_contain_text("دور متوقف است")
    expect(take_next).to_be_disabled()
    with writing(engine) as session:
        phases.resume(session, session.get_one(Round, round_.id))
    expect(stands).not_to_contain_text("دور متوقف است")
    expect(take_next).to_be_enabled()
