"""The desk and its citizen: history, message, call later; and the desk's own phone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import (
    Callback,
    Desk,
    OutboxKind,
    OutboxMessage,
    Recording,
    Registration,
    Request,
    Role,
    Round,
    User,
)
from db.states import CallbackState, Outcome, RegistrationState
from hotline import audit
from hotline.callbacks import closing, placing, transitions
from hotline.people import sign_ins
from settings import Settings
from tests.api.answers import said
from tests.factories import (
    HOUR,
    a_callback,
    a_desk,
    a_note,
    a_registration,
    a_round,
    a_ticket,
    a_user,
    written_of,
)
from tests.kit.recording_files import a_file

V1 = "/api/v1"
Page = Callable[..., TestClient]


@pytest.fixture
def page(app: FastAPI, engine: Engine) -> Iterator[Page]:
    """The page of a person, by default of a new one of a role at a desk of their own."""
    with TestClient(app, raise_server_exceptions=False):

        def of(role: Role = Role.OPERATOR, user: User | None = None) -> TestClient:
            with writing(engine) as session:
                person = session.get_one(User, user.id) if user else a_user(session, a_desk(session))
                person.role = role
                cookie = sign_ins.sign_in(session, person)
            return TestClient(app, raise_server_exceptions=False, cookies={COOKIE: cookie})

        yield of


@pytest.fixture
def user(engine: Engine) -> User:
    with writing(engine) as session:
        return a_user(session, a_desk(session))


def _held(engine: Engine, user: User, state: CallbackState, **values: Any) -> Callback:
    with writing(engine) as session:
        return a_callback(session, state, session.get_one(User, user.id), **values)


def _log(engine: Engine, action: str) -> list[tuple[str, str]]:
    with reading(engine) as session:
        return [(entry.who, entry.subject) for entry in audit.search(session, action=action)]


def test_desk_reads_the_history_of_its_citizen_only(
    engine: Engine, page: Page, user: User, settings: Settings
) -> None:
    held = _held(engine, user, CallbackState.CLAIMED, subject=3)
    number = held.registration.number
    with writing(engine) as session:
        past = a_registration(
            session,
            a_round(session),
            number=number,
            state=RegistrationState.REACHED,
            registered_at=now(session) - 48 * HOUR,
        )
        at = now(session) - 24 * HOUR
        spoken = Callback(
            registration=past, round_id=past.round_id, desk_id=user.desk_id, token="callback-past",
            state=CallbackState.CLOSED, outcome=Outcome.REACHED, claimed_at=at,
            called_at=at, talking_at=at, ended_at=at + timedelta(seconds=90),
        )  # fmt: skip
        session.add(spoken)
        session.flush()
        a_note(session, spoken, "جوی آب خیابان", session.get_one(User, user.id))
        session.add(
            Recording(callback_id=spoken.id, file="f.wav", sha256="0" * 64, seconds=88, made_at=now(session))
        )
        for of, tracking in ((number, "12345678"), ("+989130000000", "87654321")):
            made = {"voice_message": "m", "language": "fa", "made_at": now(session)}
            session.add(Request(tracking=tracking, number=of, category=2, district=4, **made))

    desk = page(user=user)
    found = desk.get(f"{V1}/callbacks/{held.id}/history").json()
    assert [one["id"] for one in found["registrations"]] == [held.registration_id, past.id]
    (call,) = found["registrations"][1]["calls"]
    assert (said(call), call["talked_seconds"], call["outcome"]) == (["جوی آب خیابان"], 90, "reached")
    assert call["recorded"] is None, "an operator does not hear recordings"
    assert [request["tracking"] for request in found["requests"]] == ["12345678"]

    overseer = page(Role.SUPERVISOR).get(f"{V1}/callbacks/{held.id}/history").json()
    assert overseer["registrations"][1]["calls"][0]["recorded"] == 88
    assert page().get(f"{V1}/callbacks/{held.id}/history").status_code == 403
    with writing(engine) as session:
        closing.close(session, held.token, Outcome.REACHED, settings)
    assert desk.get(f"{V1}/callbacks/{held.id}/history").status_code == 403, "not in hand any more"


def test_long_history_is_bounded(engine: Engine, page: Page, user: User) -> None:
    held = _held(engine, user, CallbackState.CLAIMED)
    with writing(engine) as session:
        number, round_ = held.registration.number, a_round(session)
        for _ in range(30):
            a_registration(session, round_, number=number, state=RegistrationState.CANCELLED)
        session.add_all(
            Request(
                tracking=f"{serial:08}", number=number, category=1, voice_message="m", language="fa",
                made_at=now(session),
            )
            for serial in range(30)
        )  # fmt: skip
    found = page(user=user).get(f"{V1}/callbacks/{held.id}/history").json()
    assert (len(found["registrations"]), len(found["requests"])) == (20, 20)


def test_place_given_up_by_the_office_is_told_to_its_number(engine: Engine, page: Page, user: User) -> None:
    with writing(engine) as session:
        place = a_registration(session, a_round(session))

    body = {"reason": "شماره را فروخته است"}
    answer = page(user=user).post(f"{V1}/registrations/{place.id}/cancel", json=body)

    assert answer.json()["state"] == "cancelled", answer.text
    assert _log(engine, "registration-cancelled") == [(user.username, f"registration {place.id}")]
    with reading(engine) as session:
        (message,) = session.scalars(select(OutboxMessage))
    assert (message.kind, message.to) == (OutboxKind.CANCELLED, place.number)


def test_desk_of_the_round_plays_a_message_ahead_of_the_call(
    engine: Engine, page: Page, user: User, settings: Settings
) -> None:
    settings.messages_dir.mkdir(parents=True)
    a_file(settings.messages_dir, "0123456789abcdef")
    ahead = _held(engine, user, CallbackState.WAITING, voice_message="0123456789abcdef.wav")
    address = f"{V1}/registrations/{ahead.registration_id}/voice-message"
    official, other = page(Role.OFFICIAL, user=user), page(Role.OFFICIAL)
    with writing(engine) as session:
        session.get_one(Callback, ahead.id).desk_id = None
    assert official.get(address).status_code == 403
    with writing(engine) as session:
        session.get_one(Desk, user.desk_id).round_id = ahead.round_id
    assert (official.get(address).status_code, other.get(address).status_code) == (200, 403)
    assert _log(engine, "voice-message-heard") == [(user.username, f"registration {ahead.registration_id}")]
    about = official.get(f"{address}/about").json()
    assert (about["seconds"], about["language"], about["summary"]) == (2, "fa", None)
    said = {"written": " چراغ کوچه خاموش است "}
    assert [one.put(f"{address}/summary", json=said).status_code for one in (other, official)] == [403, 200]
    assert official.put(f"{address}/summary", json={"written": " "}).status_code in (409, 422)
    summary = official.get(f"{address}/about").json()["summary"]
    assert (summary["by"], summary["written"]) == (user.name, "چراغ کوچه خاموش است")
    assert other.get(f"{address}/about").status_code == 403
    assert len(_log(engine, "voice-message-summed-up")) == 1
    with writing(engine) as session:
        session.get_one(Callback, ahead.id).desk_id = a_desk(session).id
    assert official.get(address).status_code == 403


def test_message_is_sent_by_ranges_and_each_hearing_audited(
    engine: Engine, page: Page, user: User, settings: Settings
) -> None:
    settings.messages_dir.mkdir(parents=True)
    sound = a_file(settings.messages_dir, "0123456789abcdef").read_bytes()
    held = _held(engine, user, CallbackState.CLAIMED, voice_message="0123456789abcdef.wav")
    address = f"{V1}/registrations/{held.registration_id}/voice-message"
    desk = page(user=user)
    assert desk.get(f"{V1}/callbacks/{held.id}").json()["registration"]["has_voice_message"] is True
    assert page().get(address).status_code == 403
    assert _log(engine, "voice-message-heard") == []

    whole = desk.get(address)
    assert (whole.content, whole.headers["content-type"]) == (sound, "audio/wav")
    part = desk.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, sound[100:200])
    assert _log(engine, "voice-message-heard") == [(user.username, f"registration {held.registration_id}")]
    desk.get(address, headers={"Range": "bytes=0-"})
    assert len(_log(engine, "voice-message-heard")) == 2

    (settings.messages_dir / "0123456789abcdef.wav").unlink()
    assert desk.get(address).json()["code"] == "not-found"


def test_wished_time_keeps_the_place_waiting(engine: Engine, page: Page, user: User) -> None:
    held = _held(engine, user, CallbackState.ENDED)
    desk, address = page(user=user), f"{V1}/callbacks/{held.id}/outcome"
    with reading(engine) as session:
        wish = (now(session) + timedelta(minutes=20)).replace(microsecond=0)
    word = {"outcome": "call_again", "note": "در جلسه است"}
    far = (wish + timedelta(days=40)).isoformat()
    assert desk.put(address, json={**word, "again_at": far}).json()["code"] == "too-far-ahead"
    closed = desk.put(address, json={**word, "again_at": wish.isoformat()}).json()
    assert closed["registration"]["state"] == "waiting"
    with reading(engine) as session:
        registration = session.get_one(Registration, held.registration_id)
        assert registration.not_before == wish
        assert (registration.attempts, registration.registered_at) == (0, held.registration.registered_at)
        assert transitions.find_live_at_desk(session, user.desk_id or 0) is None


def test_screening_that_declines_ends_the_call_with_a_reason(engine: Engine, page: Page, user: User) -> None:
    held = _held(engine, user, CallbackState.SCREENING)
    with writing(engine) as session:
        session.merge(held).desk_id = None
    other, mine, address = page(), page(user=user), f"{V1}/callbacks/{held.id}/dismiss"
    word = {"outcome": "refused", "note": "پاسخ خود را گرفت"}
    assert other.post(address, json=word).status_code == 403
    assert mine.post(address, json={"outcome": "reached"}).json()["code"] == "wrong-state"
    assert mine.post(address, json=word).status_code == 202
    with reading(engine) as session:
        done = session.get_one(Callback, held.id)
        assert (done.outcome, written_of(done), done.ended_at) == (Outcome.REFUSED, [word["note"]], None)
        assert [c.id for c in placing.list_open_calls(session)] == [held.id], "the dialer hangs up"
        assert done.registration.state is RegistrationState.CLOSED
    assert mine.post(address, json=word).json()["code"] == "wrong-state"


def test_chosen_phone_of_a_desk_is_audited(engine: Engine, page: Page, user: User) -> None:
    desk, address = page(user=user), f"{V1}/desk/phone/choice"
    assert desk.get(address).json() == {"use": "browser", "number": None, "called": False, "has_pin": False}
    chosen = desk.put(address, json={"use": "number", "number": "۰۹۱۳ ۱۲۳ ۴۵۶۷"}).json()
    assert (chosen["use"], chosen["number"]) == ("number", "09131234567")
    assert desk.post(f"{V1}/desk/phone/call").json()["code"] == "no-pin"
    for wrong in ({"use": "number"}, {"use": "sip", "number": "09131234567"}):
        assert desk.put(address, json=wrong).json()["code"] == "no-desk-number"
    abroad = desk.put(address, json={"use": "number", "number": "+5351234567"})
    assert abroad.json()["code"] in ("number-not-allowed", "number-invalid")
    account = desk.post(f"{V1}/desk/phone/account").json()
    assert account["username"] == f"desk-{user.desk_id}-sip" and len(account["password"]) > 15
    assert desk.put(address, json={"use": "sip"}).json()["number"] is None
    assert _log(engine, "desk-phone-account-shown") == [(user.username, f"desk {user.desk_id}")]
    _held(engine, user, CallbackState.CLAIMED)
    assert desk.put(address, json={"use": "browser"}).json()["code"] == "desk-busy"
    with reading(engine) as session:
        assert session.get_one(Desk, user.desk_id).phone == "sip"


def test_page_within_a_long_line_has_rows_and_places(engine: Engine, page: Page) -> None:
    with writing(engine) as session:
        round_: Round = a_round(session)
        first = now(session) - HOUR
        made = [
            Registration(
                round_id=round_.id, number=f"+98913900{place:04}", ticket=a_ticket(),
                registered_at=first + timedelta(seconds=place), rounds_missed=int(place >= 250),
            )
            for place in range(300)
        ]  # fmt: skip
        session.add_all(made)
    found = page().get(f"{V1}/rounds/{round_.id}/registrations?offset=50&limit=10").json()
    assert [row["ticket"] for row in found["items"]] == [one.ticket for one in made[:10]]
    assert [row["place"] for row in found["items"]] == list(range(51, 61))
    assert found["total"] == 300
