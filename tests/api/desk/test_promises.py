"""An official's promises to a citizen and the notes of their conversation: kept as they are said."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import now, reading, writing
from db.models import Callback, Official, OfficialKind, Request, Role, Round, User
from db.states import CallbackState, Outcome, RequestState
from hotline import audit
from hotline.callbacks import notes
from hotline.clock import CITY
from hotline.requests import closing, lifecycle
from tests.api.answers import V1, As, SignedIn, problem, said
from tests.factories import a_callback, a_desk, a_note, a_request, a_user, written_of

DAY = timedelta(days=1)
WORDS = "روشنایی کوچه درست می‌شود"


@pytest.fixture
def speaks(engine: Engine, user: User) -> Callback:
    """The user, an official, is in conversation with a citizen who came for the third subject."""
    with writing(engine) as session:
        official = session.get_one(User, user.id)
        official.role = Role.OFFICIAL
        callback = a_callback(session, CallbackState.TALKING, official, subject=3)
        return callback


def in_days(engine: Engine, days: int) -> date:
    with reading(engine) as session:
        return (now(session).astimezone(CITY) + days * DAY).date()


def promise(
    page: TestClient, callback: Callback, until: date, written: str = "روشنایی کوچه درست می‌شود"
) -> Any:
    body = {"written": written, "until": until.isoformat()}
    return page.post(f"{V1}/callbacks/{callback.id}/promises", json=body)


def test_promise_becomes_a_request_with_its_day(engine: Engine, desk: TestClient, speaks: Callback) -> None:
    until = in_days(engine, 7)
    answer = promise(desk, speaks, until)
    assert answer.status_code == 201, answer.text
    made = answer.json()["request"]
    assert (made["category"], made["written"], made["state"]) == (3, WORDS, "new")
    assert made["promised_until"].startswith(f"{until + DAY}T00:00") and made["promised_by"] is not None
    assert [step["step"] for step in answer.json()["steps"]] == ["reported", "promised"]
    with reading(engine) as session:
        request = session.get_one(Request, made["id"])
        assert request.number == speaks.registration.number
        (entry,) = audit.search(session, action="request-promised")
        assert entry.subject == f"request {request.id}"


@pytest.mark.parametrize("days", [-1, 400])
def test_promise_on_a_past_or_far_day_writes_nothing(
    engine: Engine, desk: TestClient, speaks: Callback, days: int
) -> None:
    problem(promise(desk, speaks, in_days(engine, days)), 409, "due-date")
    with reading(engine) as session:
        assert session.query(Request).count() == 0


def test_note_of_the_operator_beside_is_added_not_lost(
    engine: Engine, as_user: SignedIn, as_role: As, desk: TestClient, speaks: Callback
) -> None:
    with writing(engine) as session:
        other = a_user(session, a_desk(session))
        other.role = Role.OFFICIAL
        other.official = Official(kind=OfficialKind.DEPUTY, office_fa="b", office_en="b", clip="deputy")
    problem(promise(as_user(other), speaks, in_days(engine, 1)), 403, "forbidden")
    page = as_role(Role.OPERATOR)
    assert promise(page, speaks, in_days(engine, 1)).status_code == 201
    for client, note in ((page, "کوچهٔ مدرسه"), (desk, "پیگیری تا شنبه"), (page, "کوچهٔ مدرسه")):
        answer = client.post(f"{V1}/callbacks/{speaks.id}/notes", json={"note": note})
        assert answer.status_code == 200, answer.text
    assert said(answer.json()) == ["کوچهٔ مدرسه", "پیگیری تا شنبه"]


def test_each_note_shows_its_writer_and_time_everywhere(
    engine: Engine, as_user: SignedIn, as_role: As, user: User, speaks: Callback
) -> None:
    with writing(engine) as session:
        session.get_one(User, user.id).name = "شهردار"
        beside = a_user(session, a_desk(session))
        beside.name = "مینا"
    page, assistant, url = as_user(user), as_user(beside), f"{V1}/callbacks/{speaks.id}"
    for client in (page, assistant, assistant):  # the last of which is sent again: its answer was lost
        assert client.post(f"{url}/notes", json={"note": "پیگیری شود"}).status_code == 200
    with writing(engine) as session:
        callback = session.get_one(Callback, speaks.id)
        callback.state, callback.ended_at = CallbackState.ENDED, now(session)
    closed = page.put(f"{url}/outcome", json={"outcome": "reached", "note": "تا شنبه"}).json()
    lines = [("شهردار", "پیگیری شود"), ("مینا", "پیگیری شود"), ("شهردار", "تا شنبه")]
    assert [(note["by"], note["written"]) for note in closed["notes"]] == lines
    times = [note["at"] for note in closed["notes"]]
    assert times == sorted(times)
    auditor, place = as_role(Role.AUDITOR), speaks.registration_id
    (of_place,) = auditor.get(f"{V1}/registrations/{place}").json()["calls"]
    ((of_citizen,),) = (
        one["calls"] for one in auditor.get(f"{V1}/citizens/registration/{place}").json()["registrations"]
    )
    assert page.get(url).json()["notes"] == of_place["notes"] == of_citizen["notes"] == closed["notes"]


def test_outcome_with_or_without_a_note_keeps_the_notes(
    engine: Engine, desk: TestClient, speaks: Callback
) -> None:
    url = f"{V1}/callbacks/{speaks.id}"
    desk.post(f"{url}/notes", json={"note": "نخست"})
    refused = desk.put(f"{url}/outcome", json={"outcome": "reached", "note": "زود"})
    problem(refused, 409, "wrong-state")
    with writing(engine) as session:
        callback = session.get_one(Callback, speaks.id)
        callback.state, callback.ended_at = CallbackState.ENDED, now(session)
    for note, lines in (("", ["نخست"]), ("دوم", ["نخست", "دوم"]), ("نخست\nدوم\nسوم", ["نخست", "دوم", "سوم"])):
        answer = desk.put(f"{url}/outcome", json={"outcome": "reached", "note": note})
        assert said(answer.json()) == lines, answer.text


def test_note_beside_an_ended_conversation_is_refused(
    engine: Engine, as_role: As, desk: TestClient, speaks: Callback
) -> None:
    operator = as_role(Role.OPERATOR)
    for state in (CallbackState.RINGING, CallbackState.CLOSED):
        with writing(engine) as session:
            callback = session.get_one(Callback, speaks.id)
            callback.state, callback.outcome = state, Outcome.REACHED if state == "closed" else None
            callback.ended_at = now(session) if state == "closed" else None
        note = operator.post(f"{V1}/callbacks/{speaks.id}/notes", json={"note": "…"})
        problem(note, 403, "forbidden")
        problem(promise(operator, speaks, in_days(engine, 1)), 403, "forbidden")
    assert promise(desk, speaks, in_days(engine, 1)).status_code == 201, "its own desk has just closed it"
    with writing(engine) as session:
        session.get_one(Callback, speaks.id).ended_at = now(session) - DAY
    problem(promise(desk, speaks, in_days(engine, 2)), 403, "forbidden")


def test_promise_without_a_conversation_is_refused(
    engine: Engine, desk: TestClient, speaks: Callback
) -> None:
    with writing(engine) as session:
        callback = session.get_one(Callback, speaks.id)
        callback.state, callback.talking_at = CallbackState.CLAIMED, None
    problem(promise(desk, speaks, in_days(engine, 1)), 409, "never-met")


def test_promise_sent_twice_is_one_request(engine: Engine, desk: TestClient, speaks: Callback) -> None:
    first, again = (promise(desk, speaks, in_days(engine, 3)).json()["request"]["id"] for _ in range(2))
    assert first == again
    assert promise(desk, speaks, in_days(engine, 4)).json()["request"]["id"] != first


def test_promise_at_the_desk_of_a_deputy_is_the_deputys(
    engine: Engine, desk: TestClient, speaks: Callback, user: User
) -> None:
    with writing(engine) as session:
        deputy = Official(kind=OfficialKind.DEPUTY, office_fa="معاون", office_en="Deputy", clip="deputy")
        round_ = session.get_one(Round, speaks.round_id)
        round_.deputies.append(deputy)
        session.get_one(User, user.id).official = deputy
    made = promise(desk, speaks, in_days(engine, 1)).json()["request"]
    assert made["promised_by"]["office_en"] == "Deputy"


def test_promise_of_another_official_is_not_found(engine: Engine, as_user: SignedIn) -> None:
    with writing(engine) as session:
        one, other = (
            Official(kind=OfficialKind.DEPUTY, office_fa=name, office_en=name, clip="deputy") for name in "ab"
        )
        request = a_request(session, promised_by=other, promised_until=now(session) + DAY)
        person = a_user(session)
        person.role, person.official = Role.OFFICIAL, one
        session.add_all([one, other])
    page = as_user(person)
    assert page.get(f"{V1}/requests").json()["items"] == []
    problem(page.get(f"{V1}/requests/{request.id}"), 403, "forbidden")
    assert page.post(f"{V1}/search", json={"typed": request.tracking}).json()["requests"] == []


def test_overdue_promise_that_is_a_duplicate_passes_its_day_on(engine: Engine) -> None:
    with writing(engine) as session:
        official = Official(kind=OfficialKind.DEPUTY, office_fa="a", office_en="a", clip="deputy")
        first = a_request(session)
        late = a_request(session, promised_by=official, promised_until=now(session) - DAY)
        closing.merge(session, late.id, first.id, who="desk1")
        session.expire_all()
        assert session.get_one(Request, first.id).owed_at == late.promised_until


@pytest.mark.parametrize(("before", "note", "lines"), [
    ("", "یک", ["یک"]), ("یک", " ", ["یک"]), ("یک", "یک", ["یک"]), ("at noon", "no", ["at noon", "no"]),
    ("no", "noon", ["no", "noon"]), ("a\nb", "b\nc", ["a\nb", "c"]), ("a", " b\n\nc ", ["a", "b\nc"]),
])  # fmt: skip
def test_added_note_lines_stand_once_each(session: Session, before: str, note: str, lines: list[str]) -> None:
    callback, by = a_callback(session, CallbackState.ENDED), a_user(session)
    for one in (before, note):
        notes.write(session, callback, one, by=by)
    session.refresh(callback)
    assert written_of(callback) == lines


def test_notes_beyond_the_limit_are_not_refused(session: Session) -> None:
    callback, by = a_callback(session, CallbackState.ENDED), a_user(session)
    for letter in "abcdefghijkl":
        notes.write(session, callback, letter * 2000, by=by)
    assert [len(one) for one in written_of(callback)] == [2000] * 10


@pytest.mark.parametrize(("note", "code"), [("   ", "text-missing"), ("آ" * 500, "text-long")])
def test_empty_or_long_note_is_refused_and_the_others_stay(
    engine: Engine, desk: TestClient, speaks: Callback, note: str, code: str
) -> None:
    with writing(engine) as session:
        a_note(session, session.get_one(Callback, speaks.id), "ب" * 1600)
    problem(desk.post(f"{V1}/callbacks/{speaks.id}/notes", json={"note": note}), 409, code)
    with reading(engine) as session:
        assert written_of(session.get_one(Callback, speaks.id)) == ["ب" * 1600]


def test_official_lists_own_promises_and_the_office_all(
    engine: Engine, as_user: SignedIn, as_role: As
) -> None:
    with writing(engine) as session:
        mayor, deputy = (
            Official(kind=OfficialKind.DEPUTY, office_fa=name, office_en=name, clip="deputy") for name in "ab"
        )
        session.add_all([mayor, deputy])
        until = now(session) + DAY
        for official in (mayor, deputy):
            a_request(session, promised_by=official, promised_until=until)
        a_request(session)
        person = a_user(session)
        person.role, person.official = Role.OFFICIAL, mayor

    def listed(page: TestClient) -> list[str]:
        found = page.get(f"{V1}/requests", params={"promised": True}).json()["items"]
        return sorted(one["promised_by"]["office_en"] for one in found)

    assert listed(as_user(person)) == ["a"]
    assert listed(as_role(Role.SUPERVISOR)) == ["a", "b"]


def test_promise_past_its_day_is_overdue_until_done(engine: Engine, office: TestClient) -> None:
    with writing(engine) as session:
        official = Official(kind=OfficialKind.DEPUTY, office_fa="a", office_en="a", clip="deputy")
        late = a_request(session, promised_by=official, promised_until=now(session) - DAY)
        a_request(session)

    def overdue() -> list[int]:
        found = office.get(f"{V1}/requests", params={"overdue": True}).json()["items"]
        return [one["id"] for one in found if one["overdue"]]

    assert overdue() == [late.id]
    first = office.get(f"{V1}/requests", params={"limit": 1}).json()
    assert [one["id"] for one in first["items"]] == [late.id]
    rest = office.get(f"{V1}/requests", params={"after": first["next"]}).json()
    assert late.id not in [one["id"] for one in rest["items"]] and len(rest["items"]) == 1
    with writing(engine) as session:
        lifecycle.move(session, session.get_one(Request, late.id), RequestState.REPLIED)
    assert overdue() == []


def test_promises_are_paged_with_the_nearest_day_first(engine: Engine, office: TestClient) -> None:
    with writing(engine) as session:
        official = Official(kind=OfficialKind.DEPUTY, office_fa="a", office_en="a", clip="deputy")
        days = {
            a_request(session, promised_by=official, promised_until=now(session) + day * DAY).id: day
            for day in (9, -1, 2, 30, -3, 2)
        }
        done = a_request(session, promised_by=official, promised_until=now(session) - DAY)
        done.state, done.replied_at = RequestState.REPLIED, now(session)
    listed: list[int] = []
    after: str | None = None
    while after or not listed:
        page = {"promised": True, "limit": 2} | ({"after": after} if after else {})
        found = office.get(f"{V1}/requests", params=page).json()
        listed += [one["id"] for one in found["items"]]
        after = found["next"]
    assert [days.get(each) for each in listed] == [-3, -1, 2, 2, 9, 30, None]


def test_desk_sees_only_the_requests_it_may(
    engine: Engine, as_user: SignedIn, as_role: As, desk: TestClient, speaks: Callback
) -> None:
    number = speaks.registration.number
    with writing(engine) as session:
        other = a_user(session, a_desk(session))
        other.role = Role.OFFICIAL
        other.official = Official(kind=OfficialKind.DEPUTY, office_fa="b", office_en="b", clip="deputy")
        session.get_one(User, speaks.user_id).official_id = session.get_one(
            Round, speaks.round_id
        ).official_id
        until = now(session) + DAY
        theirs = a_request(session, number=number, promised_by=other.official, promised_until=until)
        everybodys = a_request(session, number=number)
    mine = promise(desk, speaks, in_days(engine, 1)).json()["request"]["id"]
    address = f"{V1}/callbacks/{speaks.id}/history"
    problem(as_user(other).get(address), 403, "forbidden")
    past = desk.get(address).json()["requests"]
    assert (past[0]["id"], past[0]["written"]) == (mine, WORDS)
    assert {one["id"] for one in past} == {mine, everybodys.id}
    beside = as_role(Role.OPERATOR).get(address).json()["requests"]
    assert {one["id"] for one in beside} == {mine, everybodys.id, theirs.id}
