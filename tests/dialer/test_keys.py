"""The keys of a desk's telephone do what the page does."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.engine import reading, writing
from db.models import Desk, Round, User
from db.states import CallbackState, Outcome
from dialer import keys
from hotline.callbacks import conversations
from hotline.people import sign_ins
from tests.dialer.hall import OURS, Hall
from tests.dialer.office import DESK_CHANNEL, on_sqlite
from tests.kit.fake_manager import FakeManager

C, O = CallbackState, Outcome  # noqa: E741


@on_sqlite
def test_keys_in_a_conversation_act_like_the_page(hall: Hall, manager: FakeManager) -> None:
    talking, ready = hall.brings(C.TALKING), hall.brings()
    hall.presses("finishing")
    assert hall.callback(talking).finishing_at is not None
    hall.later(talking, talking_at=conversations.CONFIRM)
    hall.presses("next")
    assert (hall.state(talking), hall.callback(talking).said) == (C.PARTING, O.REACHED)
    hall.parts(talking)
    hall.enters(ready)
    hall.presses("hang-up")
    assert (hall.state(ready), hall.callback(ready).said) == (C.PARTING, None)
    hall.parts(ready)
    manager.hangs_up(ready)
    hall.until(lambda: hall.state(ready) is C.ENDED)


@on_sqlite
def test_next_key_in_a_young_conversation_needs_a_second_press(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking = hall.brings(C.TALKING)
    hall.presses("next")
    assert hall.state(talking) is C.TALKING
    (word,) = [o for o in manager.named("Originate") if o["Context"] == "aside"]
    assert word["Channel"] == "Local/official-confirm-next@tone/n"
    assert word["Variable"] == f"HOTLINE_HEARS={DESK_CHANNEL}"
    monkeypatch.setattr(keys, "_CONFIRM_S", 0.0)
    hall.presses("next")
    assert hall.state(talking) is C.TALKING, "too late: asked once more"
    monkeypatch.setattr(keys, "_CONFIRM_S", 60.0)
    hall.presses("next")
    assert hall.state(talking) is C.PARTING


@on_sqlite
def test_undo_key_resumes_the_conversation(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "UNDO", timedelta(minutes=1))  # however slow this machine is
    talking, ready = hall.brings(C.TALKING), hall.brings()
    hall.asks_next(after=talking)
    hall.parts(talking)
    hall.enters(ready)
    hall.presses("undo")
    hall.until(lambda: (ready, "waiting", "s") in hall.moved())
    assert hall.moved()[-1] == (ready, "waiting", "s"), "nobody hears the other"
    assert (hall.state(ready), hall.callback(ready).talking_at) == (C.WAITING, None)
    manager.stage(ready, "confirmed", "AGI")
    hall.until(lambda: hall.moved()[-1] == (talking, "room", "1"))
    manager.joins(talking, OURS)
    hall.until(lambda: hall.state(talking) is C.TALKING)
    assert not hall.wants()
    assert manager.named("Hangup") == []
    hall.asks_next(after=talking)
    hall.parts(talking)
    hall.enters(ready)


@on_sqlite
def test_pause_and_end_keys_withdraw_the_waiting_desk(
    hall: Hall,
) -> None:
    hall.presses("next")
    assert hall.wants()
    hall.presses("not-now")
    assert not hall.wants()
    hall.presses("next")
    hall.presses("pause")
    with reading(hall.engine) as session:
        assert session.get_one(Round, hall.round_id).paused_at is not None
    hall.presses("pause")
    token = hall.brings()
    hall.enters(token)
    hall.presses("end-round")
    with reading(hall.engine) as session:
        assert session.get_one(Round, hall.round_id).ended_at is not None
    assert hall.state(token) is C.TALKING, "a conversation goes on"


@on_sqlite
@pytest.mark.parametrize("channel", [OURS, "PJSIP/trunk-00000001", ""])
def test_key_event_of_an_unknown_channel_changes_nothing(hall: Hall, channel: str) -> None:
    hall.presses("next", channel)
    hall.presses("reboot")
    assert not hall.wants()


@on_sqlite
def test_key_after_the_sign_in_ended_does_nothing(hall: Hall) -> None:
    with writing(hall.engine) as session:
        desk = session.get_one(Desk, 1)
        person = session.scalars(select(User).where(User.desk_id == desk.id)).one()
        cookie = sign_ins.sign_in(session, person)
        desk.phone, desk.admitted_by = "browser", sign_ins.hash_cookie(cookie)
        person_id = person.id
    hall.presses("next")
    assert hall.wants()
    hall.presses("not-now")
    with writing(hall.engine) as session:
        sign_ins.end_sessions(session, person_id)
    hall.presses("next")
    assert not hall.wants()
