"""The supervisor's room in a real browser: what it shows live, what is done there, what the desk is told."""

from datetime import time, timedelta
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import (
    AuditEntry,
    Break,
    Breaker,
    BreakReason,
    Callback,
    Desk,
    Event,
    Node,
    Registration,
    Role,
    User,
)
from db.states import CallbackState
from hotline.callbacks import conversations
from hotline.timetable import days
from settings import Settings
from tests.factories import MINUTE, a_callback, a_round, some_registrations
from tests.hotline.nodes.conftest import a_node, silent
from tests.kit.pages import in_state, is_fit, shown
from tests.kit.process import until
from tests.pages.conftest import OpenAs


def _clock(length: timedelta) -> str:
    digits = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    return f"{length.seconds // 60:02}:{length.seconds % 60:02}".translate(digits)


def begins_to_talk(engine: Engine) -> Callback:
    """The operator's desk speaks with a citizen of a live round for 75 seconds."""
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == Role.OPERATOR)).one()
        callback = a_callback(session, CallbackState.TALKING, user)
        callback.talking_at = now(session) - timedelta(seconds=75)
        session.get_one(Desk, callback.desk_id).round_id = callback.round_id
        return callback


class Watched(NamedTuple):
    """An operator's page while they speak, and the desk's row in the supervisor's room."""

    desk: Page
    room: Page
    row: Locator
    number: str
    """The citizen's number in national form."""


def a_conversation(open_as: OpenAs, engine: Engine, at: str = "desk") -> Watched:
    """The operator is on this page and speaks; the supervisor is in the room."""
    desk = open_as(Role.OPERATOR, at, at_desk=True)
    callback = begins_to_talk(engine)
    room = open_as(Role.SUPERVISOR, "control", at_desk=True)
    row = room.locator(f"[data-testid=control-desk][data-id='{callback.desk_id}']")
    return Watched(desk, room, row, callback.registration.number.removeprefix("+98"))


@pytest.fixture
def room(open_as: OpenAs) -> Page:
    """A supervisor at a desk in the room."""
    return open_as(Role.SUPERVISOR, "control", at_desk=True)


def test_control_room_without_live_work_is_quiet(open_as: OpenAs) -> None:
    page = open_as(Role.AUDITOR, "control")
    expect(page.get_by_test_id("control-quiet")).to_be_visible()
    expect(page.get_by_test_id("late-control")).to_have_count(0)
    is_fit(page)


def test_supervision_is_shown_on_the_desk_while_it_lasts(open_as: OpenAs, engine: Engine) -> None:
    desk, room, mine, number = a_conversation(open_as, engine, at="requests")
    expect(mine).to_have_attribute("data-at", "speaking")
    expect(mine).to_contain_text("۰۱:")
    assert number not in room.content()
    mine.get_by_test_id("listen").click()
    expect(desk.get_by_test_id("heard-by")).to_contain_text("می‌شنود")
    mine.get_by_test_id("whisper").click()
    expect(desk.get_by_test_id("heard-by")).to_contain_text("در گوش شما")
    is_fit(desk)
    is_fit(room)
    mine.get_by_test_id("stop-hearing").click()
    expect(desk.get_by_test_id("heard-by")).to_have_count(0)


def test_read_message_is_marked_in_the_control_room(open_as: OpenAs, engine: Engine) -> None:
    desk, room, mine, _ = a_conversation(open_as, engine)
    mine.get_by_test_id("send-word").click()
    room.get_by_test_id("reason").fill("دو دقیقه مانده است")
    room.get_by_test_id("confirm").click()
    word = desk.get_by_test_id("desk-word")
    expect(word).to_contain_text("دو دقیقه مانده است")
    expect(mine.get_by_test_id("last-word")).to_have_attribute("data-read", "false")
    desk.reload()
    word.get_by_test_id("word-read").click()
    expect(word).to_have_count(0)
    expect(mine.get_by_test_id("last-word")).to_have_attribute("data-read", "true")


def test_freeing_a_hung_conversation_is_audited(open_as: OpenAs, engine: Engine) -> None:
    _, room, mine, _ = a_conversation(open_as, engine)
    mine.get_by_test_id("free").click()
    room.get_by_test_id("confirm").click()
    expect(room.get_by_test_id("reason")).to_be_focused()  # why?
    room.get_by_test_id("reason").fill("میز برنمی‌گردد")
    room.get_by_test_id("confirm").click()

    def freed() -> bool:
        with reading(engine) as session:
            entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "citizen-freed"))
            return len(entries.all()) == 1

    until(freed, "it is in the audit log")


def test_stalled_line_raises_an_alarm_counted_in_the_rail(room: Page, engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        waiting = some_registrations(session, round_, 12)[3]
    room.reload()
    expect(room.get_by_test_id("alarm-nobody-served")).to_contain_text("هیچ میزی")
    expect(room.get_by_test_id("alarm-too-long")).to_contain_text("۱۲")
    expect(room.get_by_test_id("late-control")).to_contain_text("۲")
    is_fit(room)

    room.get_by_test_id("first-ones").click()
    row = room.get_by_test_id("first-rows").locator("li").nth(3)
    row.get_by_test_id("move-up").click()
    room.get_by_test_id("reason").fill("سالمند و تنها")
    room.get_by_test_id("confirm").click()
    expect(room.get_by_test_id("first-rows").locator("li").first).to_contain_text("سالمند")
    with reading(engine) as session:
        assert session.get_one(Registration, waiting.id).moved_up == 1

    line = room.get_by_test_id("control-line").filter(has=room.get_by_test_id("first-ones"))
    line.get_by_test_id("pause-round").click()
    expect(room.get_by_test_id("alarm-nobody-served")).to_contain_text("متوقف")
    with writing(engine) as session:
        since = now(session) - MINUTE
        session.add(Breaker(name="trunk", failures=3, probes=0, tried="", suspects=False, opened_at=since))
    expect(room.get_by_test_id("alarm-calls-down")).to_be_visible()
    expect(room.get_by_test_id("alarm-nobody-served")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 360])
def test_silent_node_is_named_with_what_to_do(
    room: Page, engine: Engine, settings: Settings, width: int
) -> None:
    room.set_viewport_size({"width": width, "height": 800})
    with writing(engine) as session:
        a_node(session, settings, "one")
        a_node(session, settings, "two")
        silent(session, "two")
        session.get_one(Node, "two").lost_at = now(session)
    room.reload()
    alarm = room.get_by_test_id("alarm-node-silent")
    expect(alarm).to_contain_text("two")
    expect(alarm).to_contain_text("مسئول فنی")
    is_fit(room)


def test_auditor_sees_the_control_room_without_buttons(open_as: OpenAs, engine: Engine) -> None:
    open_as(Role.OPERATOR, "desk", at_desk=True)
    begins_to_talk(engine)
    page = open_as(Role.AUDITOR, "control")
    expect(page.get_by_test_id("control-desk")).to_have_count(1)
    for button in ("listen", "free", "send-word", "pause-round"):
        expect(page.get_by_test_id(button)).to_have_count(0)


def test_break_of_a_desk_shows_its_reason(open_as: OpenAs, room: Page) -> None:
    desk = open_as(Role.OPERATOR, "desk", at_desk=True)
    desk.get_by_test_id("break-reason").select_option("prayer")
    expect(desk.get_by_test_id("break-over")).to_be_visible()
    expect(room.locator("[data-at=break]")).to_contain_text("نماز")
    is_fit(desk)
    desk.get_by_test_id("break-over").click()
    expect(room.locator("[data-at=break]")).to_have_count(0)


def test_day_of_a_person_is_a_table_there_and_on_their_page(open_as: OpenAs, engine: Engine) -> None:
    desk, room, mine, _ = a_conversation(open_as, engine)
    mine.get_by_test_id("person-day-of").click()
    expect(room.get_by_test_id("day-nothing")).to_be_visible()
    room.keyboard.press("Escape")
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == Role.OPERATOR)).one()
        at, own = now(session), {"desk_id": user.desk_id, "user_id": user.id}
        talks = session.scalars(select(Callback)).one().id
        since_midnight = at - days.find_moment(days.find_local_day(at), time())
        minute = min(MINUTE, since_midnight / 10)
        for minutes, kind, what, callback_id in (
            (9, "desk", "asks-next", None),
            (7, "callback", "talking", talks),
            (4, "callback", "parting", talks),
            (3, "callback", "reached", talks),
            (3, "desk", "break", None),
            (1, "callback", "talking", talks),
        ):
            session.add(Event(at=at - minutes * minute, kind=kind, what=what, callback_id=callback_id, **own))
        own |= {"began_at": at - 3 * minute, "ended_at": at - 2 * minute}
        session.add(Break(reason=BreakReason.PRAYER, **own))
    mine.get_by_test_id("person-day-of").click()
    day, sums = room.get_by_test_id("person-day"), room.get_by_test_id("day-sums")
    expect(day.locator("tbody tr")).to_have_count(5)
    did = day.locator("tbody td:nth-child(3)")
    expect(did).to_contain_text(["منتظر شهروند", "گفت‌وگو", "کار پس از گفت‌وگو", "نماز", "گفت‌وگو"])
    expect(sums.locator("[data-did=paused]")).to_contain_text("نماز")
    expect(sums.locator("[data-did=talked]")).to_contain_text("۲ بار")
    expect(sums.locator("[data-did=wrap-up]")).to_contain_text(_clock(minute))
    is_fit(room)

    desk.get_by_test_id("rail-figures").click()
    shown(desk, "mine")
    expect(desk.get_by_test_id("person-day").locator("tbody tr")).to_have_count(5)
    expect(desk.get_by_test_id("day-of-week").last).to_have_attribute("aria-pressed", "true")
    total = desk.get_by_test_id("my-week").get_by_role("row").last.get_by_role("cell")
    expect(total.nth(0)).to_have_text("۲")
    expect(total.nth(2)).to_have_text("۰۱:۰۰")  # wrap-up
    is_fit(desk)
    desk.get_by_test_id("week-before").click()
    expect(desk.get_by_test_id("day-of-week")).to_have_count(7)
    expect(desk.get_by_test_id("my-day")).to_contain_text("ثبت نشده")


def test_official_sees_that_another_desk_still_writes(open_as: OpenAs, engine: Engine) -> None:
    beside = open_as(Role.OPERATOR, "assist", at_desk=True)
    official = open_as(Role.ADMINISTRATOR, "official", at_desk=True)
    with writing(engine) as session:
        round_ = a_round(session)
        for desk in session.scalars(select(Desk)):
            desk.round_id = round_.id
    official.reload()
    expect(official.get_by_test_id("others-away")).to_be_hidden()
    beside.reload()
    beside.get_by_test_id("break-reason").select_option("writing")
    expect(official.get_by_test_id("others-away")).to_contain_text("دارم می‌نویسم")
    expect(beside.get_by_test_id("place").filter(has_text="دارم می‌نویسم")).to_have_count(1)
    is_fit(official)


def test_wrap_up_of_the_official_shows_on_both_pages(
    open_as: OpenAs, engine: Engine, settings: Settings, room: Page
) -> None:
    official = open_as(Role.ADMINISTRATOR, "official", at_desk=True)
    with writing(engine) as session:
        user = session.scalars(select(User).where(User.role == Role.ADMINISTRATOR)).one()
        callback = a_callback(session, CallbackState.TALKING, user)
        session.get_one(Desk, user.desk_id).round_id = callback.round_id
    official.reload()
    in_state(official, "serving-state", "talking")
    expect(official.get_by_test_id("wrap-up")).to_have_count(0)
    official.get_by_test_id("hangup").click()
    in_state(official, "serving-state", "parting")
    with writing(engine) as session:
        conversations.record_line_end(
            session, session.get_one(Callback, callback.id), settings, hung_up=False
        )
    official.get_by_test_id("not-now").click()
    in_state(official, "serving-state", "wrap-up")
    expect(official.get_by_test_id("wrap-up")).to_contain_text("کار پس از گفت‌وگو ۰۰:")
    is_fit(official)

    row = room.locator(f"[data-testid=control-desk][data-id='{callback.desk_id}']")
    expect(row).to_have_attribute("data-at", "wrap-up")
    expect(row).to_contain_text("کار پس از گفت‌وگو")
    beside = open_as(Role.OPERATOR, "assist", at_desk=True)
    expect(beside.get_by_test_id("place")).to_contain_text("کار پس از گفت‌وگو ۰۰:")
    is_fit(beside)
    official.get_by_test_id("next").click()
    in_state(official, "serving-state", "asked")
    for page in (official, beside):
        expect(page.get_by_test_id("wrap-up")).to_have_count(0)
    expect(row).to_have_attribute("data-at", "waiting")
