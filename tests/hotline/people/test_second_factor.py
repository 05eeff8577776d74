"""The second factor: codes of the moment, once each; recovery codes; what a session may reach before it."""

import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api.app import create
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import RecoveryCode, Role, SignIn, User
from hotline.errors import Refused
from hotline.people import accounts, second_factor, sign_ins
from settings import Settings
from tests.factories import PASSWORD, a_user, at_once
from tests.hotline.people.signing_in import everything_stored
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)

V1 = "/api/v1"
NEW = "another password"


@pytest.fixture
def strict(settings: Settings) -> Settings:
    """Default settings: the administrator's role needs a second factor."""
    return settings.model_copy(update={"second_factor_roles": ("administrator",)})


@pytest.fixture
def app(strict: Settings, engine: Engine) -> FastAPI:
    return create(strict)


def a_sign_in(session: Session, user: User) -> SignIn:
    cookie = sign_ins.sign_in(session, user)
    session.flush()
    return session.get_one(SignIn, sign_ins.hash_cookie(cookie))


def authenticator(uri: str) -> pyotp.TOTP:
    return pyotp.TOTP(parse_qs(urlsplit(uri).query)["secret"][0])


def code_at(session: Session, totp: pyotp.TOTP, steps: int = 0) -> str:
    return totp.at(now(session) + timedelta(seconds=30 * steps))


def set_up(session: Session, user: User, settings: Settings) -> tuple[pyotp.TOTP, list[str], str]:
    """The authenticator, the recovery codes, and the code that was shown."""
    sign_in = a_sign_in(session, user)
    totp = authenticator(second_factor.offer(sign_in, settings))
    code = code_at(session, totp, -1)
    return totp, second_factor.confirm(session, sign_in, code, settings), code


def refused(act: Any) -> str:
    with pytest.raises(Refused) as error:
        act()
    return error.value.code


def test_confirmed_factor_is_in_use_and_stores_no_secret(session: Session, settings: Settings) -> None:
    user = a_user(session)
    sign_in, other = a_sign_in(session, user), a_sign_in(session, user)
    assert refused(lambda: second_factor.confirm(session, sign_in, "000000", settings)) == "no-offer"
    uri = second_factor.offer(sign_in, settings)
    assert second_factor.offer(sign_in, settings) == uri != second_factor.offer(other, settings)
    totp = authenticator(uri)
    assert len(totp.byte_secret()) == 16
    wrong = f"{(int(totp.now()) + 1) % 10**6:06}"
    assert refused(lambda: second_factor.confirm(session, sign_in, wrong, settings)) == "wrong-code"
    assert user.totp_salt is None
    codes = second_factor.confirm(session, sign_in, code_at(session, totp), settings)
    assert sign_in.second_factor and not second_factor.is_due(sign_in, settings)
    assert sign_ins.list_sessions(session, user.id) == [sign_in]
    assert len(set(codes)) == 10 == second_factor.count_recovery_codes(session, user)
    stored = everything_stored(session)
    assert totp.secret not in stored and totp.byte_secret().hex() not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_accepted_code_and_earlier_ones_are_refused(session: Session, settings: Settings) -> None:
    user = a_user(session)
    totp, _, used = set_up(session, user, settings)  # with the code of the step before
    sign_in = a_sign_in(session, user)
    assert second_factor.is_due(sign_in, settings)

    def shown(code: str) -> bool:
        sign_in.second_factor = False
        return second_factor.show(session, sign_in, code, settings)

    assert not shown(used)
    assert not shown(code_at(session, totp, -2)) and not shown(code_at(session, totp, 3))
    present = code_at(session, totp)
    persian = present.translate({ord(str(d)): chr(0x6F0 + d) for d in range(10)})
    assert shown(f" {persian[:3]} {persian[3:]}")
    assert not shown(present)
    assert shown(code_at(session, totp, 1)), "an authenticator's clock may be a little ahead"
    for odd in ("", "x" * 10_000, "²²²²²²", "\u200f123456"):
        user.totp_locked_until = None
        assert not shown(odd)


def test_recovery_code_works_once_for_its_person(session: Session, settings: Settings) -> None:
    user, other = a_user(session), a_user(session)
    _, codes, _ = set_up(session, user, settings)
    set_up(session, other, settings)
    foreign = a_sign_in(session, other)
    assert not second_factor.show(session, foreign, codes[0], settings)
    sign_in = a_sign_in(session, user)
    assert second_factor.show(session, sign_in, codes[0].replace("-", " "), settings)
    assert not second_factor.show(session, sign_in, codes[0], settings)
    assert second_factor.count_recovery_codes(session, user) == 9


def test_wrong_codes_lock_despite_the_password(session: Session, settings: Settings) -> None:
    user = a_user(session, username="admin")
    totp, _, _ = set_up(session, user, settings)
    sign_in = a_sign_in(session, user)
    for _ in range(6):
        assert not second_factor.show(session, sign_in, "wrong", settings)
    assert accounts.verify(session, "admin", right=True) is user
    right = code_at(session, totp)
    assert refused(lambda: second_factor.show(session, sign_in, right, settings)) == "too-many-attempts"
    user.totp_locked_until = now(session)
    session.flush()
    assert second_factor.show(session, sign_in, right, settings)
    assert (user.totp_failures, user.totp_locked_until) == (0, None)


@in_both
def test_code_shown_ten_times_lets_one_in(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        user = a_user(session)
        totp, _, _ = set_up(session, user, settings)
        code = code_at(session, totp, 1)
        cookies = [sign_ins.sign_in(session, user) for _ in range(10)]

    def show(which: int) -> bool:
        try:
            with writing(engine) as session:
                sign_in = session.get_one(SignIn, sign_ins.hash_cookie(cookies[which]))
                return second_factor.show(session, sign_in, code, settings)
        except Refused:
            return False

    assert list(at_once(10, show)).count(True) == 1


def signed_in(app: FastAPI, user: User, password: str = PASSWORD) -> tuple[TestClient, dict[str, Any]]:
    page = TestClient(app, raise_server_exceptions=False)
    answer = page.post(f"{V1}/session", json={"username": user.username, "password": password})
    assert answer.status_code == 200, answer.text
    return page, answer.json()


def an_administrator(engine: Engine) -> User:
    with writing(engine) as session:
        user = a_user(session)
        user.role = Role.ADMINISTRATOR
    return user


def refusals(app: FastAPI, page: TestClient) -> dict[str, str]:
    """Return the refusal of each endpoint for this page."""
    found = {}
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            plain = path.replace("{session_id}", "0" * 64).replace("{day}", "2026-11-24").replace("{", "")
            if not path.startswith(V1) or (method, path) == ("delete", f"{V1}/session"):
                continue
            answer = page.request(method, plain.replace("_id}", ""), json={})
            refused = answer.status_code >= 400 and method != "head"  # which has no body to say why
            found[f"{method} {path}"] = answer.json()["code"] if refused else ""
    return found


def nobody_has(app: FastAPI, cookie: str) -> bool:
    """Whether whoever knew the session's cookie before the second factor knows nothing now."""
    return TestClient(app, cookies={COOKIE: cookie}).get(f"{V1}/session").json()["step"] == "password"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_required_factor_only_allows_setting_it_up(app: FastAPI, engine: Engine) -> None:
    page, answer = signed_in(app, an_administrator(engine))
    assert answer == {"step": "set-up", "city": False} == page.get(f"{V1}/session").json()
    assert not any(name.startswith("hotline_knows") for name in page.cookies)
    found = refusals(app, page)
    reachable = {endpoint for endpoint, code in found.items() if code != "second-factor-due"}
    citizens = {endpoint for endpoint in found if f" {V1}/my" in endpoint}  # no staff's: test_roles
    assert reachable - citizens == {
        f"get {V1}/session",
        f"post {V1}/session",
        f"post {V1}/session/code",
        f"post {V1}/session/first",
        f"post {V1}/session/password",
        f"post {V1}/account/second-factor/offer",
        f"put {V1}/account/second-factor",
        f"get {V1}/browser-phone",
    }
    offer = page.post(f"{V1}/account/second-factor/offer", json={"password": ""}).json()
    assert offer["qr"].startswith("data:image/svg+xml")
    code = pyotp.TOTP(offer["secret"]).now()
    before = page.cookies[COOKIE]
    codes = page.put(f"{V1}/account/second-factor", json={"code": code}).json()["codes"]
    assert len(codes) == 10
    assert page.get(f"{V1}/me").json()["role"] == "administrator"
    assert nobody_has(app, before)
    account = page.get(f"{V1}/account").json()
    assert (account["second_factor"], account["second_factor_asked"]) == (True, True)
    answer = page.post(f"{V1}/account/second-factor/remove", json={"password": PASSWORD})
    assert answer.json()["code"] == "second-factor-asked"


def test_password_alone_neither_passes_nor_replaces_the_factor(
    app: FastAPI, engine: Engine, strict: Settings
) -> None:
    user = an_administrator(engine)
    with writing(engine) as session:
        _, codes, _ = set_up(session, session.get_one(User, user.id), strict)
    page, answer = signed_in(app, user)
    assert answer["step"] == "code"
    for path in ("/me", "/account", "/events", "/rounds"):
        assert page.get(V1 + path).json()["code"] == "second-factor-due"
    for answer in (
        page.post(f"{V1}/account/second-factor/offer", json={"password": PASSWORD}),
        page.put(f"{V1}/account/second-factor", json={"code": "000000"}),
        page.put(f"{V1}/account/password", json={"password": PASSWORD, "new": NEW}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "second-factor-due")
    wrong = page.post(f"{V1}/session/code", json={"code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong-code")
    with reading(engine) as session:
        assert session.get_one(User, user.id).totp_failures == 1
    before = page.cookies[COOKIE]
    assert TestClient(app, cookies={COOKIE: before}).get(f"{V1}/session").json()["step"] == "code"
    answer = page.post(f"{V1}/session/code", json={"code": codes[0]})
    assert answer.json() == page.get(f"{V1}/me").json()
    assert nobody_has(app, before)
    (kept,) = (c for c in page.cookies.jar if c.name == COOKIE)
    assert kept.value != before and kept.expires
    assert kept.expires <= time.time() + (12 + 24) * 3600  # the session ends a day before its cookie
    assert any(name.startswith("hotline_knows") for name in page.cookies)


def test_new_role_requiring_a_factor_blocks_the_session(app: FastAPI, engine: Engine) -> None:
    with writing(engine) as session:
        user = a_user(session)
    page, answer = signed_in(app, user)
    assert answer["role"] == "operator"
    with writing(engine) as session:
        session.get_one(User, user.id).role = Role.ADMINISTRATOR
    assert page.get(f"{V1}/me").json()["code"] == "second-factor-due"


def test_removed_optional_factor_leaves_the_password(app: FastAPI, engine: Engine) -> None:
    with writing(engine) as session:
        user = a_user(session)
    page, _ = signed_in(app, user)
    offer = page.post(f"{V1}/account/second-factor/offer", json={"password": "wrong"})
    assert (offer.status_code, offer.json()["code"]) == (403, "wrong-password")
    offer = page.post(f"{V1}/account/second-factor/offer", json={"password": PASSWORD}).json()
    page.put(f"{V1}/account/second-factor", json={"code": pyotp.TOTP(offer["secret"]).now()})
    assert signed_in(app, user)[1]["step"] == "code"
    assert page.post(f"{V1}/account/second-factor/remove", json={"password": PASSWORD}).status_code == 204
    assert signed_in(app, user)[1]["username"] == user.username
    with reading(engine) as session:
        assert session.scalars(select(RecoveryCode)).all() == []
