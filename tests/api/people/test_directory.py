"""Signing in with a name and a password of the office's directory, against Debian's slapd."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from api.app import create
from db.engine import reading, writing
from db.models import Role, User
from hotline import audit
from hotline.directory import sync
from hotline.people import accounts
from tests.api.answers import V1, problem
from tests.factories import PASSWORD, a_user
from tests.kit.directory import Office, a_uid
from tests.kit.slapd import LOCKS_AFTER
from tests.kit.slapd import PASSWORD as THEIRS


@pytest.fixture
def page(office: Office, engine: Engine) -> Iterator[TestClient]:
    """A browser nobody has signed in with, of an office with a directory."""
    with TestClient(create(office.settings), raise_server_exceptions=False) as client:
        yield client


def sign_in(page: TestClient, username: str, password: str = THEIRS) -> Response:
    return page.post(f"{V1}/session", json={"username": username, "password": password})


def an_operator(office: Office) -> tuple[str, str]:
    """The user name and the DN of somebody whom a group makes an operator."""
    uid = a_uid()
    dn = office.slapd.person(uid)
    office.group(dn)
    return uid, dn


def test_person_of_the_directory_is_in_until_deleted_there(
    page: TestClient, office: Office, engine: Engine
) -> None:
    uid, dn = an_operator(office)
    answer = sign_in(page, uid.upper())
    assert answer.status_code == 200 and answer.json()["username"] == uid
    assert page.get(f"{V1}/me").json()["role"] == "operator"
    with reading(engine) as session:
        assert [e.action for e in audit.search(session)] == ["signed-in", "person-added"]
    sync.take(engine, office.settings)
    assert page.get(f"{V1}/me").status_code == 200
    office.slapd.delete(dn)
    sync.take(engine, office.settings)
    assert problem(page.get(f"{V1}/me"), 401, "not-signed-in")


def test_missing_password_or_group_is_refused(page: TestClient, office: Office, engine: Engine) -> None:
    uid, _ = an_operator(office)
    stranger = a_uid()
    office.slapd.person(stranger)
    assert sign_in(page, uid, "").status_code == 401
    assert sign_in(page, uid, "\0").status_code in (401, 422)
    assert problem(sign_in(page, a_uid("nobody")), 401, "wrong-credentials")
    assert problem(sign_in(page, stranger), 403, "directory-no-role")
    assert page.get(f"{V1}/me").status_code == 401
    with reading(engine) as session:
        assert accounts.find_by_name(session, stranger) is None


@pytest.mark.parametrize("password", ["گلabcdef12", "\ue000private12"])
def test_password_refused_by_saslprep_is_asked_of_the_directory(
    page: TestClient, office: Office, password: str
) -> None:
    uid = a_uid()
    dn = office.slapd.person(uid, userPassword=password.encode())
    office.group(dn)
    assert problem(sign_in(page, uid, f"{password}x"), 401, "wrong-credentials")
    assert sign_in(page, uid, password).status_code == 200


def test_wrong_passwords_never_lock_the_directory_account(page: TestClient, office: Office) -> None:
    uid, dn = an_operator(office)
    spellings = [uid, uid.upper(), f" {uid} ", uid.title()] * 4
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda name: sign_in(page, name, "wrong").status_code, spellings))
    assert set(told) == {401, 429}
    assert told.count(401) <= office.settings.ldap_tries < LOCKS_AFTER
    assert problem(sign_in(page, uid), 429, "too-many-attempts"), "even the right one is not tried"
    assert office.slapd.binds(dn), "the account works everywhere else"


def test_known_browser_signs_in_while_strangers_guess(
    page: TestClient, office: Office, engine: Engine
) -> None:
    uid, dn = an_operator(office)
    assert sign_in(page, uid).status_code == 200
    with TestClient(create(office.settings)) as stranger:
        for _ in range(office.settings.ldap_tries + 2):
            sign_in(stranger, uid, "wrong")
        assert problem(sign_in(stranger, uid), 429, "too-many-attempts")
    assert sign_in(page, uid).status_code == 200
    for _ in range(10):
        sign_in(page, uid, "wrong")
    assert office.slapd.binds(dn)


def test_absent_directory_is_reported_and_local_accounts_work(
    page: TestClient, office: Office, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    uid, _ = an_operator(office)
    office.slapd.person(rescuer := a_uid("rescue"))
    with writing(engine) as session:
        a_user(session, username=rescuer).role = Role.AUDITOR
    assert sign_in(page, uid).status_code == 200
    away = office.settings.model_copy(update={"ldap_url": ("ldap://127.0.0.1:9",)})
    caplog.set_level(logging.WARNING)
    with TestClient(create(away)) as other:
        for _ in range(office.settings.ldap_tries + 1):
            answer = sign_in(other, uid)
            assert problem(answer, 503, "directory-away") and answer.headers["retry-after"]
        assert sign_in(other, rescuer, PASSWORD).json()["role"] == "auditor"
    assert "sign-in refused" not in caplog.text, "fail2ban shuts nobody out for it"
    assert THEIRS not in caplog.text and office.settings.ldap_bind_password not in caplog.text
    sync.take(engine, away)
    assert page.get(f"{V1}/me").status_code == 200, "whoever is in stays in"
    with TestClient(create(office.settings)) as other:
        assert sign_in(other, uid).status_code == 200, "nothing was counted meanwhile"
        assert problem(sign_in(other, rescuer), 401, "wrong-credentials"), "the local password counts"


def test_directory_sign_in_needs_our_second_factor(office: Office, engine: Engine) -> None:
    uid = a_uid()
    office.group(office.slapd.person(uid), role="administrator")
    asking = office.settings.model_copy(update={"second_factor_roles": ("administrator",)})
    page = TestClient(create(asking))
    assert sign_in(page, uid).json()["step"] == "set-up"
    assert page.get(f"{V1}/me").status_code == 401
    offer = page.post(f"{V1}/account/second-factor/offer", json={"password": ""}).json()
    code = pyotp.TOTP(offer["secret"]).now()
    assert page.put(f"{V1}/account/second-factor", json={"code": code}).status_code == 200
    assert page.get(f"{V1}/me").json()["role"] == "administrator"


def test_own_account_asks_the_directorys_password(page: TestClient, office: Office, engine: Engine) -> None:
    uid, _ = an_operator(office)
    sign_in(page, uid)
    pin = {"pin": "48213", "password": "wrong"}
    assert problem(page.put(f"{V1}/account/pin", json=pin), 403, "wrong-password")
    with reading(engine) as session:
        user = accounts.find_by_name(session, uid)
        assert user and user.pin_hash is None and user.password_hash == ""
    assert page.put(f"{V1}/account/pin", json=pin | {"password": THEIRS}).status_code == 204
    new = {"password": THEIRS, "new": "a password of ours 137"}
    assert problem(page.put(f"{V1}/account/password", json=new), 409, "from-directory")


def test_local_account_of_the_same_name_keeps_its_password(
    page: TestClient, office: Office, engine: Engine
) -> None:
    uid, _ = an_operator(office)
    with writing(engine) as session:
        a_user(session, username=uid.title())
    assert problem(sign_in(page, uid), 401, "wrong-credentials")
    assert problem(sign_in(page, uid.upper()), 401, "wrong-credentials")
    assert sign_in(page, uid.title(), PASSWORD).status_code == 200
    with reading(engine) as session:
        mine = session.query(User).one()
    assert mine.from_directory is False


def test_renamed_person_proves_by_the_directorys_password(page: TestClient, office: Office) -> None:
    uid, dn = an_operator(office)
    sign_in(page, uid)
    office.slapd.move(dn, f"uid={a_uid('married')}")
    someone, _ = an_operator(office)
    pin = {"pin": "48213", "password": "wrong"}
    assert problem(page.put(f"{V1}/account/pin", json=pin), 403, "wrong-password")
    assert page.put(f"{V1}/account/pin", json=pin | {"password": THEIRS}).status_code == 204
    assert page.get(f"{V1}/me").json()["username"] == uid != someone
