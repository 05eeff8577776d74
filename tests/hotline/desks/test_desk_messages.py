"""What a supervisor says to a desk stays until it is read."""

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
    return [message.text for message, _ in desk_messages.unread(session, desk.id)]


def test_given_two_messages_when_read_one_by_one_then_each_stays_until_then_and_both_are_on_record(
    session: Session, desk: Desk
) -> None:
    supervisor = make.a_user(session, username="the-supervisor")
    first, second = says(session, desk), says(session, desk, " کوتاه‌تر ")
    assert texts(session, desk) == ["دو دقیقه مانده است", "کوتاه‌تر"]
    assert [name for _, name in desk_messages.unread(session, desk.id)] == [supervisor.name] * 2
    before = make.newest_event(session)

    desk_messages.confirm(session, desk.id, first.id, who="x")
    read_at = first.read_at
    desk_messages.confirm(session, desk.id, first.id, who="y")
    assert (first.read_at, first.read_by) == (read_at, "x")
    assert texts(session, desk) == ["کوتاه‌تر"]
    assert desk_messages.newest(session)[desk.id].id == second.id
    assert [event.what for event in make.told(session, before)] == ["message-read"]
    logged = session.scalars(select(AuditEntry).where(AuditEntry.action == "desk-message-sent")).all()
    assert [(entry.who, entry.subject, entry.reason) for entry in logged] == [
        ("the-supervisor", f"desk {desk.id}", "دو دقیقه مانده است"),
        ("the-supervisor", f"desk {desk.id}", "کوتاه‌تر"),
    ]


def test_given_a_message_to_another_desk_when_confirmed_then_it_is_not_found(
    session: Session, desk: Desk
) -> None:
    message, other = says(session, desk), make.a_desk(session)
    confirm = desk_messages.confirm
    assert refusal(lambda: confirm(session, other.id, message.id, who="x")) == "not-found"
    assert message.read_at is None


def test_given_nothing_to_say_or_no_desk_when_sent_then_it_is_refused(session: Session, desk: Desk) -> None:
    assert refusal(lambda: says(session, desk, "  ")) == "message-empty"
    assert refusal(lambda: desk_messages.send(session, 404404, "x", who="x")) == "not-found"
