"""A supervisor's sight of a round in a real browser: its desks while they speak, and its recordings."""

import hashlib
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select, update

from db.engine import now, reading, writing
from db.models import AuditEntry, Desk, Role, Round, User
from db.states import CallbackState
from hotline.callbacks import transitions
from hotline.desks import supervising
from hotline.recordings import archive
from scheduler.recordings import register
from settings import Settings
from tests.factories import SECOND, a_callback, a_desk, a_user
from tests.kit.pages import is_fit
from tests.kit.recording_files import a_file


def test_supervision_of_a_desk_is_audited_and_ends(
    supervisor: Page,
    engine: Engine,
) -> None:
    with writing(engine) as session:
        mine = a_desk(session)
        user = session.scalars(select(User).where(User.role == Role.SUPERVISOR)).one()
        user.desk = mine
        callback = a_callback(session, CallbackState.TALKING)
        callback.talking_at = now(session) - 75 * SECOND
        session.get_one(Desk, callback.desk_id).round_id = callback.round_id
        other = a_callback(session, CallbackState.CLAIMED)
        session.get_one(Desk, other.desk_id).round_id = callback.round_id
    supervisor.goto(supervisor.url.replace("/rounds", f"/rounds/{callback.round_id}"))
    desks = supervisor.get_by_test_id("desk")
    expect(desks).to_have_count(2)
    expect(desks.first).to_contain_text("۰۱:")  # minutes: so long they speak
    expect(desks.last.get_by_test_id("listen")).to_be_disabled()  # speaks with nobody
    desks.first.get_by_test_id("whisper").click()
    expect(desks.first.get_by_test_id("whisper")).to_have_attribute("aria-pressed", "true")
    with reading(engine) as session:
        desk = session.get_one(Desk, mine.id)
        assert (desk.hears_desk_id, desk.hears_how) == (callback.desk_id, "whisper")
    is_fit(supervisor)

    with writing(engine) as session:  # the citizen hangs up; the dialer sees that it is over
        transitions.move(session, callback.token, CallbackState.ENDED)
        supervising.end_over(session)
    expect(desks.first.get_by_test_id("stop-hearing")).to_be_hidden()
    expect(desks.first.get_by_test_id("whisper")).to_be_disabled()


def test_played_recording_is_audited(
    supervisor: Page,
    engine: Engine,
    settings: Settings,
) -> None:
    settings.recordings_dir.mkdir(parents=True)
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.CLOSED)
        callback.talking_at = callback.ended_at = now(session)
        session.execute(update(Round).values(recorded=True))
    supervisor.goto(supervisor.url.replace("/rounds", f"/rounds/{callback.round_id}"))
    expect(supervisor.get_by_test_id("recordings")).to_contain_text("هنوز گفت‌وگویی ضبط نشده است")
    path = a_file(settings.recordings_dir, callback.token, 3)
    register(engine, settings)

    item = supervisor.get_by_test_id("recording")  # a live event brought it
    expect(item).to_contain_text("۰۰:۰۳")
    assert heard(engine) == 0, "looking is not hearing"
    assert item.locator("audio").evaluate(PLAY) == 3
    assert heard(engine) == 1
    _change(path)
    supervisor.reload()
    item.locator("audio").evaluate("player => player.load() || player.play().catch(() => 0)")
    expect(item).to_contain_text("پخش نشد")
    assert heard(engine) == 1
    supervisor.context.complaints.clear()  # type: ignore[attr-defined]  (the refusal is meant)


PLAY = """player => new Promise((resolve, reject) => {
  player.onended = () => resolve(Math.round(player.duration))
  player.onerror = () => reject(player.error)
  player.muted = true
  player.playbackRate = 4
  player.play()
})"""


def heard(engine: Engine) -> int:
    with reading(engine) as session:
        return len(session.scalars(select(AuditEntry).where(AuditEntry.action == archive.HEARD)).all())


def _change(path: Path) -> None:
    before = hashlib.sha256(path.read_bytes()).digest()
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-2] + b"xx")
    assert hashlib.sha256(path.read_bytes()).digest() != before


def test_supervisor_without_a_desk_sees_no_buttons(
    supervisor: Page,
    engine: Engine,
) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.TALKING, a_user(session, a_desk(session)))
        callback.talking_at = now(session)
        session.get_one(Desk, callback.desk_id).round_id = callback.round_id
    supervisor.goto(supervisor.url.replace("/rounds", f"/rounds/{callback.round_id}"))
    expect(supervisor.get_by_test_id("desk")).to_contain_text("در گفت‌وگو با")
    expect(supervisor.get_by_test_id("listen")).to_have_count(0)
