"""Permissions: every endpoint for every role. Add a line here for each new endpoint."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.access import WALL_COOKIE
from api.cookies import COOKIE
from api.my import signed_in
from db.engine import writing
from db.models import CodeWay, Role
from hotline.citizens import codes, sessions
from hotline.people import sign_ins
from settings import Settings
from tests.factories import BROWSER, a_desk, a_number, a_user, of_department

V1 = "/api/v1"
R = Role
EVERYBODY = frozenset(Role)
DEPARTMENT = frozenset({R.DEPARTMENT})
ALL = EVERYBODY - DEPARTMENT
"""Every role of the office."""
NOBODY_NEEDED = "public"
"""Answers without a sign-in."""
CITIZENS = "citizens"
"""Answers a citizen who is signed in by number, and nobody of the staff."""

ENDING = ("DELETE /session",)
UNENDING = ("GET /events", "GET /events/inbox")

REPORTED_TO = ALL - {R.OPERATOR}
AT_DESK = ALL - {R.AUDITOR}
KEEPS = frozenset({R.ADMINISTRATOR})
PLANS = frozenset({R.ADMINISTRATOR, R.PUBLIC_RELATIONS})
MOVES = frozenset({R.ADMINISTRATOR, R.SUPERVISOR})
ANSWERS = MOVES | {R.OPERATOR}
CONDUCTS = PLANS | {R.SUPERVISOR}
OVERSEES = CONDUCTS | {R.AUDITOR}
HANDLES = PLANS | ANSWERS
HEARS = MOVES | {R.AUDITOR}
INSPECTS = frozenset({R.ADMINISTRATOR, R.AUDITOR})

RECEIVES = ALL - {R.OFFICIAL}

MAY: dict[str, frozenset[Role] | str] = {
    "POST /session": NOBODY_NEEDED,
    "GET /session": NOBODY_NEEDED,
    "POST /session/code": EVERYBODY,
    "POST /session/first": NOBODY_NEEDED,
    "POST /session/password": EVERYBODY,
    "DELETE /session": NOBODY_NEEDED,
    "GET /account": EVERYBODY,
    "PUT /account/password": EVERYBODY,
    "PUT /account/pin": ALL,
    "POST /account/second-factor/offer": EVERYBODY,
    "PUT /account/second-factor": EVERYBODY,
    "POST /account/second-factor/remove": EVERYBODY,
    "DELETE /account/sessions": EVERYBODY,
    "DELETE /account/sessions/{session_id}": EVERYBODY,
    "GET /browser-phone": NOBODY_NEEDED,
    "GET /me": EVERYBODY,
    "GET /events": ALL,
    "GET /events/inbox": DEPARTMENT,
    "GET /requests.csv": ALL,
    "GET /inbox.csv": DEPARTMENT,
    "GET /reports": REPORTED_TO,
    "GET /reports.csv": REPORTED_TO,
    "GET /reports.xlsx": REPORTED_TO,
    "GET /reports/satisfaction": REPORTED_TO,
    "GET /reports/satisfaction.csv": REPORTED_TO,
    "GET /reports/satisfaction.xlsx": REPORTED_TO,
    "GET /wallboard": ALL,
    "POST /wallboard/screen": MOVES,
    "DELETE /wallboard/screens": MOVES,
    "GET /desk/phone": AT_DESK,
    "POST /desk/phone/call": AT_DESK,
    "GET /desk/phone/admission": AT_DESK,
    "GET /desk/phone/choice": AT_DESK,
    "PUT /desk/phone/choice": AT_DESK,
    "POST /desk/phone/account": AT_DESK,
    "GET /rounds": ALL,
    "GET /rounds/{round_id}": ALL,
    "GET /rounds/{round_id}/report": ALL,
    "GET /rounds/{round_id}/notice": ALL,
    "GET /rounds/{round_id}/carries": ALL,
    "GET /rounds/{round_id}/history": OVERSEES,
    "GET /rounds/{round_id}/registrations": ALL,
    "POST /rounds/{round_id}/claims": AT_DESK,
    "POST /rounds": PLANS,
    "PATCH /rounds/{round_id}": PLANS,
    "POST /rounds/{round_id}/cancel": PLANS,
    "POST /rounds/{round_id}/open": CONDUCTS,
    "POST /rounds/{round_id}/end": AT_DESK,
    "GET /registrations/{registration_id}": OVERSEES,
    "POST /registrations/{registration_id}/move-up": MOVES,
    "POST /registrations/{registration_id}/cancel": ANSWERS,
    "GET /citizens/{of}/{id_}": RECEIVES,
    "POST /citizens/{of}/{id_}/number": RECEIVES,
    "POST /citizens/{of}/{id_}/new-owner": MOVES,
    "POST /search": ALL,
    "GET /officials": ALL,
    "GET /officials/clips": ALL,
    "POST /officials": PLANS,
    "PATCH /officials/{official_id}": PLANS,
    "GET /desk-words": ALL,
    "PUT /desk-words": CONDUCTS,
    "GET /subjects": ALL,
    "PATCH /subjects/{subject_id}": PLANS,
    "GET /callbacks/{callback_id}": AT_DESK,
    "POST /callbacks/{callback_id}/call": AT_DESK,
    "POST /callbacks/{callback_id}/hangup": AT_DESK,
    "PUT /callbacks/{callback_id}/hold": AT_DESK,
    "DELETE /callbacks/{callback_id}/hold": AT_DESK,
    "GET /callbacks/{callback_id}/guests": AT_DESK,
    "POST /callbacks/{callback_id}/guests": AT_DESK,
    "DELETE /callbacks/{callback_id}/guests/{guest_id}": AT_DESK,
    "POST /callbacks/{callback_id}/undo": AT_DESK,
    "POST /callbacks/{callback_id}/call-again": AT_DESK,
    "PUT /callbacks/{callback_id}/outcome": AT_DESK,
    "GET /callbacks/{callback_id}/called-again": AT_DESK,
    "PUT /callbacks/{callback_id}/quality": AT_DESK,
    "POST /callbacks/{callback_id}/notes": AT_DESK,
    "POST /callbacks/{callback_id}/threat": AT_DESK,
    "GET /callbacks/agreed": AT_DESK,
    "POST /callbacks/{callback_id}/promises": AT_DESK,
    "GET /callbacks/{callback_id}/history": ALL,
    "GET /registrations/{registration_id}/voice-message": HEARS,
    "GET /registrations/{registration_id}/voice-message/about": HEARS,
    "PUT /registrations/{registration_id}/voice-message/summary": AT_DESK,
    "GET /rounds/{round_id}/stage": ALL,
    "PUT /desk/round": AT_DESK,
    "PUT /desk/live-calls": AT_DESK,
    "PUT /desk/break": AT_DESK,
    "POST /desk/next": AT_DESK,
    "POST /desk/not-now": AT_DESK,
    "POST /desk/finishing": AT_DESK,
    "POST /rounds/{round_id}/pause": AT_DESK,
    "POST /rounds/{round_id}/resume": AT_DESK,
    "POST /callbacks/{callback_id}/screen": AT_DESK,
    "POST /callbacks/{callback_id}/hand-over": AT_DESK,
    "POST /callbacks/{callback_id}/dismiss": AT_DESK,
    "GET /timetable": ALL,
    "POST /timetable": PLANS,
    "PATCH /timetable/{rule_id}": PLANS,
    "GET /timetable/{rule_id}/days": ALL,
    "POST /timetable/{rule_id}/day-overrides": PLANS,
    "GET /timetable/{rule_id}/behind": OVERSEES,
    "POST /timetable/{rule_id}/catch-up": PLANS,
    "GET /calendar": ALL,
    "GET /holidays": ALL,
    "POST /holidays": PLANS,
    "DELETE /holidays/{day}": PLANS,
    "PUT /desk/hears": MOVES,
    "DELETE /desk/hears": AT_DESK,
    "GET /callbacks/{callback_id}/takers": AT_DESK,
    "POST /callbacks/{callback_id}/consult": AT_DESK,
    "POST /callbacks/{callback_id}/take-back": AT_DESK,
    "POST /callbacks/{callback_id}/give": AT_DESK,
    "GET /recordings": HEARS,
    "GET /recordings/{callback_id}/audio": HEARS,
    "GET /outbox": OVERSEES,
    "GET /outbox/providers": OVERSEES,
    "GET /notices": OVERSEES,
    "POST /outbox/{message_id}/retry": PLANS,
    "GET /recordings/all": HEARS,
    "GET /recordings/retention": HEARS,
    "POST /recordings/{callback_id}/delete": KEEPS,
    "GET /kept": INSPECTS,
    "GET /setup": KEEPS,
    "POST /setup/calls": KEEPS,
    "POST /setup/texts": KEEPS,
    "POST /setup/backup": KEEPS,
    "GET /setup/voices/{language}": KEEPS,
    "GET /audit": INSPECTS,
    **{f"GET /requests{path}": ALL for path in ("", "/counts", "/districts", "/boundaries")},
    **{
        f"GET /requests/{path}": ALL for path in ("tracking/{tracking}", "{request_id}", "{request_id}/audio")
    },
    "GET /requests/{request_id}/pictures/{picture_id}": ALL,
    "GET /escalations": MOVES,
    "POST /escalations/{request_id}/take": MOVES,
    "POST /requests": HANDLES,
    **{
        f"POST /requests/{{request_id}}/{deed}": HANDLES
        for deed in ("refer", "return", "reply", "reject", "split")
    },
    **{
        f"POST /requests/{{request_id}}/{deed}": HANDLES
        for deed in ("answer", "said", "duplicate", "separate")
    },
    **{f"GET /inbox{path}": DEPARTMENT for path in ("", "/counts", "/{request_id}", "/{request_id}/audio")},
    "GET /inbox/{request_id}/pictures/{picture_id}": DEPARTMENT,
    "POST /inbox/pictures": DEPARTMENT,
    "POST /requests/pictures": HANDLES,
    "POST /requests/{request_id}/join": HANDLES,
    "POST /inbox/accept": DEPARTMENT,
    **{
        f"POST /inbox/{{request_id}}/{deed}": DEPARTMENT
        for deed in ("accept", "return", "ask", "reply", "split")
    },
    "GET /requests/{request_id}/passes": ALL,
    "POST /requests/{request_id}/passes": HANDLES,
    "DELETE /requests/{request_id}/passes/{pass_id}": HANDLES,
    **{f"{method} /inbox/{{request_id}}/passes": DEPARTMENT for method in ("GET", "POST")},
    "DELETE /inbox/{request_id}/passes/{pass_id}": DEPARTMENT,
    "GET /requests/{request_id}/release": ALL,
    "POST /requests/{request_id}/release": CONDUCTS,
    "POST /requests/{request_id}/pictures/{picture_id}/hidden": CONDUCTS,
    "DELETE /requests/{request_id}/release": CONDUCTS,
    "GET /departments": ALL,
    "POST /departments": PLANS,
    "PATCH /departments/{department_id}": PLANS,
    "GET /ready-replies": EVERYBODY,
    "PUT /ready-replies": MOVES,
    "GET /categories": ALL,
    "POST /categories": KEEPS,
    "PUT /categories/{category_id}": KEEPS,
    "GET /audit/actions": INSPECTS,
    "GET /audit/export": INSPECTS,
    "GET /people": INSPECTS,
    "POST /people": KEEPS,
    "PATCH /people/{person_id}": KEEPS,
    "POST /people/{person_id}/disable": KEEPS,
    "POST /people/{person_id}/enable": KEEPS,
    "POST /people/{person_id}/password": KEEPS,
    "POST /people/{person_id}/pin": KEEPS,
    "DELETE /people/{person_id}/sessions": KEEPS,
    "DELETE /people/{person_id}/second-factor": KEEPS,
    "GET /keys": INSPECTS,
    "POST /keys": KEEPS,
    "DELETE /keys/{prefix}": KEEPS,
    "GET /desks": HEARS,
    "PATCH /desks/{desk_id}": KEEPS,
    "POST /desks/{desk_id}/account": KEEPS,
    "POST /desks/{desk_id}/outcome": MOVES,
    "GET /urgent": ANSWERS,
    "POST /urgent/{matter_id}/take": ANSWERS,
    "POST /urgent/{matter_id}/call": ANSWERS,
    "GET /control": HEARS,
    "GET /control/alarms": HEARS,
    "GET /people/{person_id}/day": HEARS,
    "GET /me/week": ALL,
    "GET /me/request-filters": ALL,
    "POST /me/request-filters": ALL,
    "PATCH /me/request-filters/{filter_id}": ALL,
    "DELETE /me/request-filters/{filter_id}": ALL,
    "POST /callbacks/{callback_id}/free": MOVES,
    "POST /desks/{desk_id}/messages": MOVES,
    "POST /desk/messages/{message_id}/read": AT_DESK,
    "GET /blocked": HEARS,
    "POST /blocked": MOVES,
    "GET /blocked/{number}/places": MOVES,
    "DELETE /blocked/{number}": MOVES,
    "GET /my/codes": NOBODY_NEEDED,
    "POST /my/codes": NOBODY_NEEDED,
    "POST /my/sessions": NOBODY_NEEDED,
    "POST /my/sessions/refresh": CITIZENS,
    "GET /my/sessions": CITIZENS,
    "GET /my/sessions/current": NOBODY_NEEDED,
    "DELETE /my/sessions/current": NOBODY_NEEDED,
    "DELETE /my/sessions": CITIZENS,
    "GET /my/notices": CITIZENS,
    "PUT /my/notices": CITIZENS,
    "PUT /my/push": CITIZENS,
    "DELETE /my/push": CITIZENS,
    "GET /my/categories": NOBODY_NEEDED,
    "GET /my/rounds": NOBODY_NEEDED,
    "GET /my/places/{ticket}": CITIZENS,
    "POST /my/places": CITIZENS,
    "DELETE /my/places/{ticket}": CITIZENS,
    "GET /my/wishes": CITIZENS,
    "PUT /my/wishes/{official_id}": CITIZENS,
    "DELETE /my/wishes/{official_id}": CITIZENS,
    "GET /my": CITIZENS,
    "GET /my/export": CITIZENS,
    "DELETE /my": CITIZENS,
    "POST /my/pictures": CITIZENS,
    "GET /my/pictures/{picture_id}": CITIZENS,
    "OPTIONS /my/uploads": NOBODY_NEEDED,
    "POST /my/uploads": CITIZENS,
    "HEAD /my/uploads/{upload_id}": CITIZENS,
    "PATCH /my/uploads/{upload_id}": CITIZENS,
    "DELETE /my/uploads/{upload_id}": CITIZENS,
    "POST /my/uploads/{upload_id}/finish": CITIZENS,
    "GET /my/requests": CITIZENS,
    "POST /my/requests": CITIZENS,
    "GET /my/requests/{tracking}": CITIZENS,
    "GET /my/requests/{tracking}/proof": CITIZENS,
    "POST /my/requests/{tracking}/confirm": CITIZENS,
    "POST /my/requests/{tracking}/object": CITIZENS,
    "GET /my/requests/near": CITIZENS,
    "GET /my/requests/followed": CITIZENS,
    "POST /my/requests/{tracking}/follow": CITIZENS,
    "DELETE /my/requests/{tracking}/follow": CITIZENS,
    "POST /my/requests/{tracking}/say": CITIZENS,
    "POST /my/requests/{tracking}/rate": CITIZENS,
}


@pytest.fixture
def page(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def endpoints(app: FastAPI) -> set[str]:
    """Return the endpoints of the API's document, the event stream included."""
    return {
        f"{method.upper()} {path.removeprefix(V1)}"
        for path, methods in app.openapi()["paths"].items()
        if path.startswith(V1)
        for method in methods
    }


def answer(page: TestClient, endpoint: str) -> tuple[int, str]:
    """Return the status and code for an empty request about a row that does not exist."""
    method, path = endpoint.split(" ")
    path = path.replace("{day}", "2026-11-24").replace("{number}", "09131234567")
    path = path.replace("{session_id}", "0" * 64).replace("{of}", "registration")
    path = re.sub(r"\{\w+\}", "404404", path)
    body = None if method in ("GET", "DELETE") else {}
    response = page.request(method, V1 + path, json=body)
    if method == "HEAD":  # which has no body
        return response.status_code, {401: "not-signed-in", 403: "forbidden"}.get(response.status_code, "")
    return response.status_code, response.json().get("code", "") if response.status_code >= 400 else ""


def test_each_endpoint_has_a_line_in_the_table(app: FastAPI) -> None:
    assert endpoints(app) == MAY.keys()


def test_only_public_endpoints_answer_without_a_session(page: TestClient) -> None:
    for endpoint, may in MAY.items():
        _, code = answer(page, endpoint)
        assert (code == "not-signed-in") == (may != NOBODY_NEEDED), endpoint


@pytest.mark.parametrize("role", Role)
def test_each_role_is_forbidden_exactly_the_others(page: TestClient, engine: Engine, role: Role) -> None:
    with writing(engine) as session:
        user = of_department(session) if role is R.DEPARTMENT else a_user(session, a_desk(session))
        user.role = role
        page.cookies.set(COOKIE, sign_ins.sign_in(session, user))
    for endpoint, may in MAY.items():
        if endpoint in ENDING or endpoint in UNENDING:
            continue
        status, code = answer(page, endpoint)
        if may == CITIZENS:
            assert (status, code) == (401, "not-signed-in"), endpoint
            continue
        allowed = may == NOBODY_NEEDED or role in may
        assert (code == "forbidden") != allowed, (endpoint, status, code)
        assert status < 500, endpoint


def test_department_reaches_only_its_own_endpoints(app: FastAPI, page: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        page.cookies.set(COOKIE, sign_ins.sign_in(session, of_department(session)))
    own = ("/account", "/me", "/inbox", "/events/inbox", "/session", "/ready-replies")
    unsigned = {endpoint for endpoint, may in MAY.items() if may in (NOBODY_NEEDED, CITIZENS)}
    asked = {each for each in endpoints(app) - unsigned if not each.split(" ")[1].startswith(own)}
    assert len(asked) > 140
    for endpoint in asked | {"PUT /account/pin", "PUT /ready-replies"}:
        assert answer(page, endpoint) == (403, "forbidden"), endpoint


def test_citizen_reaches_only_citizen_endpoints(page: TestClient, engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        code = codes.ask(session, a_number(), CodeWay.CALL, "fa", settings, browser=BROWSER)
        tokens = sessions.begin_session(session, code, "", settings)
    ends = ("DELETE /my", "DELETE /my/sessions", "DELETE /my/sessions/current", "POST /my/sessions/refresh")
    for endpoint, may in MAY.items():
        if endpoint in ends:
            continue
        # By the staff's cookies, too: a citizen's token is none of theirs.
        names = (signed_in.ACCESS, signed_in.REFRESH, COOKIE, WALL_COOKIE)
        page.cookies = {name: tokens.access for name in names}
        status, code_ = answer(page, endpoint)
        assert (code_ == "not-signed-in") == (may not in (NOBODY_NEEDED, CITIZENS)), endpoint
        assert status < 500, endpoint


def test_auditor_at_a_desk_may_change_nothing() -> None:
    own = ("POST /session/code", "POST /session/password", "/account", "/me/request-filters")
    reads = ("POST /search", "POST /citizens/{of}/{id_}/number")  # posted: a number belongs into no address
    changes = {e for e in MAY if not e.startswith("GET") and MAY[e] not in (NOBODY_NEEDED, CITIZENS)}
    changes = {e for e in changes if not any(mine in e for mine in (*own, *reads))}
    assert changes and not any(Role.AUDITOR in MAY[endpoint] for endpoint in changes)
