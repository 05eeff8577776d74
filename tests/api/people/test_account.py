"""One's own account, the sessions of it, and the lockout that a vandal cannot turn against its owner."""

import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from itertools import islice
from threading import Event

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from api import limits
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import AuditEntry, SignIn, User
from hotline import audit
from hotline.errors import Refused
from hotline.people import accounts, lockout, sign_ins
from settings import Settings
from tests.factories import PASSWORD, a_user, at_once, wrong_guesses

V1 = "/api/v1"
NEW = "another password"


@pytest.fixture
def app(app: FastAPI, engine: Engine) -> FastAPI:
    """The API, in which no guess comes back with time, however slow the machine is."""
    app.state.passwords = limits.Guesses(engine, "passwords", limits.PASSWORD_BURST, clock=lambda: 1000.0)
    return app


@pytest.fixture
def user(engine: Engine) -> User:
    with writing(engine) as session:
        return a_user(session, username="mayor")


def a_browser(app: FastAPI, address: str = "192.0.2.1", agent: str = "Firefox") -> TestClient:
    return TestClient(
        app, raise_server_exceptions=False, client=(address, 50_000), headers={"User-Agent": agent}
    )


def sign_in(page: TestClient, password: str = PASSWORD, username: str = "mayor") -> str:
    """The refusal's code; empty if it went well."""
    answer = page.post(f"{V1}/session", json={"username": username, "password": password})
    return "" if answer.status_code == 200 else str(answer.json()["code"])


def test_sessions_are_listed_apart_and_can_be_ended(app: FastAPI, engine: Engine, user: User) -> None:
    with writing(engine) as session:
        a_user(session, username="other")
    here, there = a_browser(app), a_browser(app, "198.51.100.7", "Mozilla/5.0 " + "x" * 500)
    stranger = a_browser(app)
    assert (sign_in(here), sign_in(there), sign_in(stranger, username="other")) == ("", "", "")
    mine = {each["address"]: each for each in here.get(f"{V1}/account").json()["sessions"]}
    assert mine.keys() == {"192.0.2.1", "198.51.100.7"}
    assert mine["192.0.2.1"]["current"] and not mine["198.51.100.7"]["current"]
    assert mine["192.0.2.1"]["agent"] == "Firefox" and len(mine["198.51.100.7"]["agent"]) == 100
    strangers = stranger.get(f"{V1}/account").json()["sessions"][0]["id"]
    for each in (strangers, mine["198.51.100.7"]["id"], "0" * 64):
        assert here.delete(f"{V1}/account/sessions/{each}").status_code == 204
    assert [page.get(f"{V1}/me").status_code for page in (here, there, stranger)] == [200, 401, 200]
    sign_in(there)
    assert here.delete(f"{V1}/account/sessions").status_code == 204
    assert [page.get(f"{V1}/me").status_code for page in (here, there, stranger)] == [200, 401, 200]
    with reading(engine) as session:
        ended = select(AuditEntry.who).where(AuditEntry.action == "sessions-ended")
        assert (
            session.scalars(ended).all() == [user.username] * 2
        )  # neither a stranger's nor one that is over


def test_second_sign_in_of_a_browser_ends_its_first_session(app: FastAPI, user: User) -> None:
    page = a_browser(app)
    sign_in(page)
    before = page.cookies[COOKIE]
    sign_in(page)
    assert len(page.get(f"{V1}/account").json()["sessions"]) == 1
    old = TestClient(app, cookies={COOKIE: before})
    assert old.get(f"{V1}/me").status_code == 401


def test_session_is_touched_once_a_minute_and_expires_idle(
    app: FastAPI, engine: Engine, user: User, settings: Settings
) -> None:
    page = a_browser(app)
    sign_in(page)

    def used(ago: timedelta) -> timedelta:
        """Use a session last seen this long ago. Return how long ago it counts as seen now."""
        with writing(engine) as session:
            (kept,) = sign_ins.list_sessions(session, user.id)
            kept.last_seen_at = now(session) - ago
        page.get(f"{V1}/me")
        with reading(engine) as session:
            return now(session) - session.get_one(SignIn, kept.token_hash).last_seen_at

    assert used(timedelta(seconds=40)) >= timedelta(seconds=40)
    assert used(timedelta(seconds=70)) < timedelta(seconds=40)
    used(timedelta(minutes=settings.session_idle_minutes))
    assert page.get(f"{V1}/me").json()["code"] == "not-signed-in"


def test_changed_password_ends_the_old_one_and_other_sessions(app: FastAPI, user: User) -> None:
    here, there = a_browser(app), a_browser(app)
    sign_in(here), sign_in(there)

    def change(present: str, new: str) -> str:
        answer = here.put(f"{V1}/account/password", json={"password": present, "new": new})
        return "" if answer.status_code == 204 else str(answer.json()["code"])

    assert change("wrong", NEW) == "wrong-password"
    assert change(PASSWORD, "r7fk2xq") == "password-short"
    assert change(PASSWORD, "12345678") == "password-trivial"
    assert there.get(f"{V1}/me").status_code == 200
    assert change(PASSWORD, NEW) == ""
    assert (here.get(f"{V1}/me").status_code, there.get(f"{V1}/me").status_code) == (200, 401)
    assert (sign_in(there), sign_in(there, NEW)) == ("wrong-credentials", "")
    codes = [change("wrong", NEW) for _ in range(limits.PASSWORD_BURST)]
    assert codes[-1] == "too-many-attempts", "a session left open does not find the password"


def test_pin_change_needs_the_password_and_takes_any_digits(app: FastAPI, engine: Engine, user: User) -> None:
    page = a_browser(app)
    sign_in(page)
    assert page.get(f"{V1}/account").json()["has_pin"] is False
    for password, pin, status in (("wrong", "2468", 403), (PASSWORD, "12", 409), (PASSWORD, "۲۴۶۸", 204)):
        answer = page.put(f"{V1}/account/pin", json={"password": password, "pin": pin})
        assert answer.status_code == status
    assert page.get(f"{V1}/account").json()["has_pin"] is True
    with reading(engine) as session:
        assert accounts.is_right(session.get_one(User, user.id).pin_hash or "", "2468")


def test_known_browser_signs_in_despite_a_lockout(app: FastAPI, engine: Engine, user: User) -> None:
    own = a_browser(app)
    sign_in(own)
    assert own.delete(f"{V1}/session").status_code == 204
    with writing(engine) as session:
        wrong_guesses(session, user.username, 9)
    vandal = a_browser(app, "203.0.113.9")
    assert sign_in(vandal, "wrong") == "wrong-credentials"
    assert sign_in(vandal, "wrong") == "too-many-attempts"
    assert sign_in(a_browser(app, "198.51.100.1")) == "too-many-attempts", "an unknown browser waits"
    assert sign_in(own, "wrong") == "wrong-credentials"
    assert sign_in(own) == ""
    with reading(engine) as session:
        assert lockout.list_locks(session, [user.username]), "strangers wait all the same"


def test_guesses_answer_alike_for_known_and_unknown_names(app: FastAPI, engine: Engine, user: User) -> None:
    def guess(username: str, turn: int) -> tuple[int, str]:
        page = a_browser(app, f"203.0.113.{turn}")
        answer = page.post(f"{V1}/session", json={"username": username, "password": "wrong"})
        return answer.status_code, answer.text

    for turn, status in enumerate((401, 401, 429, 429)):
        if turn == 2:
            with writing(engine) as session:
                for username in (user.username, "nobody"):
                    wrong_guesses(session, username, 9, now(session) + timedelta(minutes=1))
        known, unknown = guess(user.username, turn), guess("nobody", turn)
        assert known == unknown and known[0] == status


def test_refused_sign_in_logs_the_address_and_no_name(
    app: FastAPI, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    page = a_browser(app, "2001:db8::7")
    for username in (user.username, "correct horse battery"):
        sign_in(page, "wrong", username)
    for _ in range(8):
        sign_in(page, "wrong")
    sign_in(a_browser(app, "not an address"), "wrong")
    said = [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "api"]
    assert [level for level, _ in said] == ["WARNING"] * 11
    from_here = [re.search(r"sign-in refused \(\S+\) from (\S+)$", text) for _, text in said[:-1]]
    assert {found[1] for found in from_here if found} == {"2001:db8::7"} and all(from_here)
    assert "too-many-attempts" in said[-2][1]
    assert user.username not in caplog.text and "horse" not in caplog.text and "an address" not in caplog.text


def test_browser_mark_set_by_http_does_not_count_by_https(app: FastAPI, engine: Engine, user: User) -> None:
    page = TestClient(app, base_url="https://137.city.example")
    assert sign_in(page) == ""
    (mark,) = [cookie for cookie in page.cookies.jar if "knows" in cookie.name]
    with writing(engine) as session:
        wrong_guesses(session, user.username, 9, now(session) + timedelta(minutes=1))
    assert sign_in(page) == ""
    other = TestClient(app, base_url="https://137.city.example")
    other.cookies.set(f"hotline_knows_{user.id}", mark.value or "", path=f"{V1}/session")
    assert sign_in(other) == "too-many-attempts"


def test_forged_or_foreign_browser_mark_counts_as_none(app: FastAPI, engine: Engine, user: User) -> None:
    with writing(engine) as session:
        other = a_user(session, username="other")
        wrong_guesses(session, user.username, 9, now(session) + timedelta(minutes=1))
    page = a_browser(app)
    sign_in(page, username="other")
    (mark,) = [cookie for cookie in page.cookies.jar if cookie.name == f"hotline_knows_{other.id}"]
    for forged in (mark.value, "", "x.", ".x", "é.é".encode().hex()):
        page.cookies.set(f"hotline_knows_{user.id}", forged or "", path="/api/v1/session")
        assert sign_in(page) == "too-many-attempts"


def test_address_guessing_many_names_waits_alone(app: FastAPI, user: User) -> None:
    own = a_browser(app, "203.0.113.9")
    sign_in(own)
    guesser = a_browser(app, "203.0.113.9")
    for each in range(limits.PASSWORD_BURST):
        assert sign_in(guesser, "wrong", f"name{each}") == "wrong-credentials"
    assert sign_in(guesser, "wrong", "name") == "too-many-attempts"
    assert sign_in(guesser) == "too-many-attempts"
    assert sign_in(own) == ""
    assert sign_in(a_browser(app, "203.0.113.10")) == ""
    for _ in range(limits.PASSWORD_BURST):
        sign_in(own, "wrong")
    assert sign_in(own) == "too-many-attempts", "a stolen mark does not guess for ever either"


def test_guess_at_a_locked_name_hashes_nothing(
    app: FastAPI, engine: Engine, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        for name in (user.username, "nobody"):
            wrong_guesses(session, name, 9, now(session) + timedelta(minutes=1))
        a_user(session, username="other")
    hashed: list[str] = []
    monkeypatch.setattr(accounts, "is_right", lambda _hash, password: bool(hashed.append(password)) or True)
    guesser = a_browser(app)
    for _ in range(limits.PASSWORD_BURST // 2):
        assert sign_in(guesser) == sign_in(guesser, username="nobody") == "too-many-attempts"
    assert hashed == []
    assert sign_in(guesser, username="other") == "too-many-attempts"
    assert sign_in(a_browser(app, "192.0.2.2"), username="other") == ""
    assert hashed == [PASSWORD]


def test_sign_ins_above_the_queue_are_refused_at_once(
    app: FastAPI, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, inside, is_right = Event(), limits.HASHES_AT_ONCE + limits.HASHES_WAITING, accounts.is_right

    def slow(password_hash: str, password: str) -> bool:
        assert go.wait(60)
        return is_right(password_hash, password)

    monkeypatch.setattr(accounts, "is_right", slow)
    with ThreadPoolExecutor(inside + 5) as pool:
        signing_in = [pool.submit(sign_in, a_browser(app)) for _ in range(inside + 5)]
        first = list(islice(as_completed(signing_in, 60), 5))
        assert [each.result() for each in first] == ["too-many-attempts"] * 5
        go.set()
    assert [each.result() for each in signing_in if each not in first] == [""] * inside
    assert sorted(sign_in(a_browser(app), "wrong", f"name{n}") for n in range(limits.PASSWORD_BURST + 1)) == [
        "too-many-attempts",
        *["wrong-credentials"] * limits.PASSWORD_BURST,
    ], "neither the refused nor the right ones have cost anything"


def test_simultaneous_guesses_stay_within_the_limit(
    engine: Engine,
) -> None:
    guesses = limits.Guesses(engine, "passwords", limits.PASSWORD_BURST, clock=lambda: 1000.0)

    def take(_: int) -> bool:
        try:
            guesses.take("192.0.2.1")
        except Refused:
            return False
        return True

    assert sum(at_once(45, take)) == limits.PASSWORD_BURST
    guesses.give_back("192.0.2.1")
    assert [take(0), take(0)] == [True, False]


def test_changes_of_ones_own_account_are_in_the_audit_log(app: FastAPI, engine: Engine, user: User) -> None:
    page = a_browser(app)
    assert sign_in(page) == ""
    wrong = page.put(f"{V1}/account/pin", json={"password": "not-this-one-8", "pin": "2468"})
    assert wrong.status_code == 403
    assert page.put(f"{V1}/account/pin", json={"password": PASSWORD, "pin": "2468"}).status_code == 204
    offered = page.post(f"{V1}/account/second-factor/offer", json={"password": PASSWORD}).json()
    code = pyotp.TOTP(offered["secret"]).now()
    assert page.put(f"{V1}/account/second-factor", json={"code": code}).status_code == 200
    assert page.post(f"{V1}/account/second-factor/remove", json={"password": PASSWORD}).status_code == 204
    changed = page.put(f"{V1}/account/password", json={"password": PASSWORD, "new": NEW})
    assert changed.status_code == 204
    for _ in range(2):
        assert page.delete(f"{V1}/session").status_code == 204
    with reading(engine) as session:
        found = [(each.who, each.action) for each in reversed(audit.search(session))]
        told = " ".join(f"{each.subject} {each.reason}" for each in audit.search(session))
    deeds = ["signed-in", "password-refused", "pin-changed", "second-factor-set", "second-factor-removed"]
    assert found == [("mayor", deed) for deed in [*deeds, "password-changed", "signed-out"]]
    assert not [each for each in (PASSWORD, NEW, "not-this-one-8", "2468", code) if each in told]
