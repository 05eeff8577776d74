"""The public-relations office over the API: rounds planned, citizens moved up, everything on record."""

from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from db.engine import now, reading, writing
from db.models import Delivery, LedgerEntry, Official, OfficialKind, OutboxKind, OutboxMessage, Role
from db.states import CallbackState, Fact, Outcome, Phase
from hotline.callbacks import claims, closing
from hotline.line import carry_over, registration
from hotline.messages import outbox
from settings import Settings
from tests.api.answers import V1, As, problem, said
from tests.factories import (
    HOUR,
    a_callback,
    a_desk,
    a_note,
    a_round,
    a_user,
    an_official,
    keyed_in,
    some_registrations,
)

DAY = timedelta(days=1)


def a_plan(engine: Engine, official: Official, **values: Any) -> dict[str, Any]:
    """A round that may be made: in three days."""
    with reading(engine) as session:
        start = now(session) + 3 * DAY
    times = {
        "registration_from": start - DAY,
        "registration_until": start + HOUR,
        "starts_at": start,
        "ends_at": start + 3 * HOUR,
    }
    return {"official_id": official.id, **{name: at.isoformat() for name, at in times.items()}, **values}


def test_round_is_returned_after_each_change(office: TestClient, engine: Engine, official: Official) -> None:
    with writing(engine) as session:
        deputy, substitute = an_official(session), an_official(session)
    plan = a_plan(engine, official, deputy_ids=[deputy.id], capacity=40, minutes=5, languages=["fa"])
    made = office.post(f"{V1}/rounds", json=plan)
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["phase"], body["capacity"], body["minutes"], body["languages"]) == (
        "announced",
        40,
        5,
        ["fa"],
    )
    assert [d["id"] for d in body["deputies"]] == [deputy.id]
    assert body["recorded"] is False
    assert datetime.fromisoformat(body["starts_at"]) == datetime.fromisoformat(plan["starts_at"])
    assert office.get(f"{V1}/rounds/{body['id']}").json() == body

    change = {"reason": "سفر", "substitute_id": substitute.id, "capacity": None, "deputy_ids": []}
    changed = office.patch(f"{V1}/rounds/{body['id']}", json=change).json()
    assert changed == {
        **body,
        "reason": "سفر",
        "capacity": None,
        "deputies": [],
        "substitute": changed["substitute"],
        "notice": "changed",
    }
    assert changed["substitute"]["id"] == substitute.id
    both = {"reason": "زبان", "languages": ["fa", "en"]}
    assert office.patch(f"{V1}/rounds/{body['id']}", json=both).json()["languages"] == ["fa", "en"]

    cancelled = office.post(f"{V1}/rounds/{body['id']}/cancel", json={"reason": "بیماری"}).json()
    assert (cancelled["phase"], cancelled["reason"]) == ("cancelled", "بیماری")
    assert office.get(f"{V1}/rounds").json()[0]["phase"] == "cancelled"


def test_notice_has_both_texts_and_its_lead(office: TestClient, engine: Engine, official: Official) -> None:
    made = office.post(f"{V1}/rounds", json=a_plan(engine, official)).json()
    notice = office.get(f"{V1}/rounds/{made['id']}/notice").json()
    assert (notice["public_at"], notice["day_ahead"], notice["webhook_at"]) == (
        made["announce_at"],
        True,
        None,
    )
    assert "شهردار" in notice["texts"]["fa"]["body"] and "Mayor" in notice["texts"]["en"]["short"]
    problem(office.get(f"{V1}/rounds/404/notice"), 404, "not-found")


def test_wrong_plan_is_refused_with_its_code(office: TestClient, engine: Engine, official: Official) -> None:
    plan = a_plan(engine, official)

    def refused(status: int, code: str, field: str | None, **values: Any) -> None:
        answer = office.post(f"{V1}/rounds", json={**plan, **values})
        problem(answer, status, code)
        assert answer.json().get("field") == field

    refused(409, "round-times", "registration_until", ends_at=plan["registration_from"])
    refused(
        409,
        "notice-too-short",
        "short_notice",
        announce_at=plan["starts_at"],
        registration_from=plan["starts_at"],
    )
    refused(404, "not-found", None, official_id=404)
    refused(404, "not-found", None, deputy_ids=[404])
    refused(422, "invalid-input", "starts_at", starts_at="2026-12-01T09:00:00")  # in which zone?
    refused(422, "invalid-input", "starts_at", starts_at="9999-12-31T23:59:59-12:00")
    refused(422, "invalid-input", "languages", languages=["de"])
    refused(422, "invalid-input", "capacity", capacity=0)
    made = office.post(f"{V1}/rounds", json=plan).json()
    refused(409, "official-busy", "official_id")
    round_ = f"{V1}/rounds/{made['id']}"
    problem(office.post(f"{round_}/cancel", json={"reason": "  "}), 409, "reason-missing")
    problem(office.post(f"{round_}/cancel", json={"reason": "\0"}), 422, "invalid-input")
    problem(office.post(f"{round_}/end", json={}), 409, "round-not-started")
    problem(office.patch(round_, json={"minutes": 5, "reason": ""}), 409, "reason-missing")
    assert office.get(round_).json() == made


def test_rounds_are_filtered_by_their_start(office: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        over, live, coming = (a_round(session, phase) for phase in (Phase.OVER, Phase.LIVE, Phase.OPEN))

    def shown(**time: datetime) -> list[int]:
        params = {name.strip("_"): at.isoformat() for name, at in time.items()}
        return [r["id"] for r in office.get(f"{V1}/rounds", params=params).json()]

    assert shown(until=live.starts_at) == [over.id]
    assert shown(from_=live.starts_at) == [live.id, coming.id]
    assert shown(from_=over.starts_at, until=coming.starts_at) == [over.id, live.id]


def test_opened_and_ended_round_is_audited_with_the_reason(as_role: As, engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session, Phase.LIVE, opened=False)
    supervisor, auditor = as_role(Role.SUPERVISOR), as_role(Role.AUDITOR)
    path = f"{V1}/rounds/{round_.id}"
    assert supervisor.post(f"{path}/open", json={}).json()["phase"] == "live"
    for _ in range(2):
        assert supervisor.post(f"{path}/end", json={"reason": "وقت نماز"}).json()["phase"] == "over"
    log = auditor.get(f"{V1}/audit", params={"subject": f"round {round_.id}", "limit": 2}).json()
    assert [(e["action"], e["reason"]) for e in log["items"]] == [
        ("round-ended", "وقت نماز"),
        ("round-opened", ""),
    ]
    older = auditor.get(f"{V1}/audit", params={"subject": f"round {round_.id}", "before": log["next"]}).json()
    assert [e["action"] for e in older["items"]] == ["round-made"] and older["next"] is None
    who = log["items"][0]["who"]
    found = auditor.get(f"{V1}/audit", params={"who": who, "action": "round-ended"}).json()["items"]
    assert found == log["items"][:1]


def test_moved_up_place_shows_the_reason_to_all(as_role: As, engine: Engine) -> None:
    with writing(engine) as session:
        round_ = a_round(session)
        some_registrations(session, round_, 1, rounds_missed=2)
        _, last = some_registrations(session, round_, 2)
    supervisor, desk = as_role(Role.SUPERVISOR), as_role(Role.OPERATOR)
    up = f"{V1}/registrations/{last.id}/move-up"
    problem(supervisor.post(up, json={}), 409, "reason-missing")
    moved = supervisor.post(up, json={"reason": "نابینا"}).json()
    assert (moved["place"], moved["why"], moved["moved_reason"]) == (1, "moved-up", "نابینا")
    items = desk.get(f"{V1}/rounds/{round_.id}/registrations").json()["items"]
    assert [item["why"] for item in items] == ["moved-up", "carried", "in-turn"]
    gives_up, asked = f"{V1}/registrations/{last.id}/cancel", {"reason": "تلفنی انصراف داد"}
    problem(desk.post(gives_up, json={}), 409, "reason-missing")
    cancelled = desk.post(gives_up, json=asked).json()
    assert (cancelled["state"], cancelled["place"]) == ("cancelled", None)
    with reading(engine) as session:
        newest = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
        assert newest and '"by":"office"' in newest.details and asked["reason"] in newest.details
    problem(desk.post(gives_up, json=asked), 409, "wrong-state")
    problem(supervisor.post(up, json={"reason": "نابینا"}), 409, "wrong-state")


def test_history_of_a_carried_place_is_complete(as_role: As, engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        first = a_round(session)
        made = registration.register(session, round_id=first.id, number="+989131234567")
        user = a_user(session, a_desk(session))
        called = claims.claim(session, round_id=first.id, desk_id=user.desk_id or 0, user_id=user.id)
        assert called
        called.state, called.called_at = CallbackState.ENDED, now(session)
        a_note(session, called, "بعد از ظهر", user)
        closing.record_outcome(session, called, Outcome.CALL_AGAIN, settings)
        first.ended_at = now(session)
        later = a_round(session, Phase.OPEN)
        later.official = first.official
        session.flush()
        assert carry_over.carry_over(session) == 1
    auditor = as_role(Role.AUDITOR)
    history = auditor.get(f"{V1}/registrations/{made.registration_id}").json()
    assert history["round_id"] == later.id
    assert (history["registration"]["why"], history["registration"]["ticket"]) == ("carried", made.ticket)
    facts = [(f["fact"], f["round_id"]) for f in history["facts"]]
    assert facts == [
        (Fact.REGISTERED, first.id),
        (Fact.CALLED, first.id),
        (Fact.OUTCOME, first.id),
        (Fact.CARRIED, later.id),
    ]
    (call,) = history["calls"]
    assert (call["round_id"], call["outcome"], said(call)) == (first.id, "call_again", ["بعد از ظهر"])
    (way,) = history["carries"]
    assert (way["from_round_id"], way["to_round_id"]) == (first.id, later.id)
    assert [m["kind"] for m in history["text_messages"]] == ["registered", "carried"]
    report = auditor.get(f"{V1}/rounds/{first.id}/report").json()
    assert (report["registered"], report["carried_out"], report["not_reached"]) == (1, 1, {"call_again": 1})


def test_place_of_a_keyed_in_number_shows_who_asked(as_role: As, engine: Engine) -> None:
    with writing(engine) as session:
        asked = keyed_in(session, a_round(session), "+989131234567", asked_by="+989137654321")
    history = as_role(Role.SUPERVISOR).get(f"{V1}/registrations/{asked.registration_id}").json()
    (shown,) = history["asked"]
    assert (shown["kind"], shown["number"], shown["asked_by"]) == (
        *("registration", "+989131234567", "+989137654321"),
    )
    assert (shown["agreed"], shown["decided_at"]) == (None, None)


def test_offices_are_listed_in_order_and_wrong_ones_refused(office: TestClient, engine: Engine) -> None:
    def an_office(kind: OfficialKind, district: int | None = None, clip: str = "office-mayor") -> Any:
        names = {"office_fa": "دفتر", "office_en": "Office"}
        return office.post(
            f"{V1}/officials", json={"kind": kind, "district": district, "clip": clip, **names}
        )

    manager = an_office(OfficialKind.DISTRICT_MANAGER, 3, "office-district-3").json()
    mayor = an_office(OfficialKind.MAYOR).json()
    assert [o["id"] for o in office.get(f"{V1}/officials").json()] == [mayor["id"], manager["id"]]
    problem(an_office(OfficialKind.DISTRICT_MANAGER, 3), 409, "district-taken")
    problem(an_office(OfficialKind.DISTRICT_MANAGER), 409, "official-values")
    problem(an_office(OfficialKind.OPERATORS), 409, "official-values")
    problem(an_office(OfficialKind.MAYOR, clip="office-moon"), 409, "clip-unknown")
    problem(an_office(OfficialKind.MAYOR, clip="weekday-1"), 409, "clip-unknown")
    renamed = office.patch(f"{V1}/officials/{mayor['id']}", json={"office_fa": "شهردار"}).json()
    assert renamed == {**mayor, "office_fa": "شهردار"}
    problem(office.patch(f"{V1}/officials/404", json={}), 404, "not-found")


def test_failed_message_is_retried_and_shows_no_number(office: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        waiting = some_registrations(session, a_round(session, Phase.OPEN), 2)
        for one in waiting:
            outbox.tell(session, OutboxKind.REGISTERED, one, about_round=one.round_id)
        first, second = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
        second.state, second.error = Delivery.FAILED, "refused"
        ids = first.id, second.id

    (failed,) = office.get(f"{V1}/outbox", params={"state": "failed"}).json()
    assert (failed["id"], failed["error"]) == (ids[1], "refused")
    assert [m["id"] for m in office.get(f"{V1}/outbox").json()] == [ids[1], ids[0]]
    assert waiting[1].number[-7:] not in str(failed)

    retried = office.post(f"{V1}/outbox/{ids[1]}/retry")
    assert (retried.status_code, retried.json()["state"]) == (202, "pending")
    problem(office.post(f"{V1}/outbox/{ids[0]}/retry"), 409, "wrong-state")


def test_call_ahead_without_a_desk_is_in_the_history(office: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        callback = a_callback(session, CallbackState.CLOSED)
        callback.desk_id = callback.user_id = None
    history = office.get(f"{V1}/registrations/{callback.registration_id}").json()
    assert [call["desk_id"] for call in history["calls"]] == [None]
