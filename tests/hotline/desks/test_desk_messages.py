"""A supervisor's message to a desk stays until it is read."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import AuditEntry, Desk, DeskMessage
from hotline.desks import desk_messages
from tests import factories as make
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.refusal import refusal


@pytest.fixture
def desk(session: Session) -> Desk:
    return make.a_desk(session)


def says(session: Session, desk: Desk, text: str = "دو دقیقه مانده است") -> DeskMessage:
    return desk_messages.send(session, desk.id, text, who="the-supervisor")


def texts(session: Session, desk: Desk) -> list[str]:
    return [message.text for message, _ in desk_messages.list_unread(session, desk.id)]


def test_each_message_stays_until_read_and_is_audited(session: Session, desk: Desk) -> None:
    supervisor = make.a_user(session, username="the-supervisor")
    first, second = says(session, desk), says(session, desk, " کوتاه‌تر ")
    assert texts(session, desk) == ["دو دقیقه مانده است", "کوتاه‌تر"]
    assert [name for _, name in desk_messages.list_unread(session, desk.id)] == [supervisor.name] * 2
    before = make.newest_event(session)

    desk_messages.confirm(session, desk.id, first.id, who="x")
    read_at = first.read_at
    desk_messages.confirm(session, desk.id, first.id, who="y")
    assert (first.read_at, first.read_by) == (read_at, "x")
    assert texts(session, desk) == ["کوتاه‌تر"]
    assert desk_messages.list_newest(session)[desk.id].id == second.id
    assert [event.what for event in make.told(session, before)] == ["message-read"]
    logged = session.scalars(select(AuditEntry).where(AuditEntry.action == "desk-message-sent")).all()
    assert [(entry.who, entry.subject, entry.reason) for entry in logged] == [
        ("the-supervisor", f"desk {desk.id}", "دو دقیقه مانده است"),
        ("the-supervisor", f"desk {desk.id}", "کوتاه‌تر"),
    ]


def test_message_of_another_desk_cannot_be_confirmed(session: Session, desk: Desk) -> None:
    message, other = says(session, desk), make.a_desk(session)
    confirm = desk_messages.confirm
    assert refusal(lambda: confirm(session, other.id, message.id, who="x")) == "not-found"
    assert message.read_at is None


def test_empty_message_or_unknown_desk_is_refused(session: Session, desk: Desk) -> None:
    assert refusal(lambda: says(session, desk, "  ")) == "message-empty"
    assert refusal(lambda: desk_messages.send(session, 404404, "x", who="x")) == "not-found"
