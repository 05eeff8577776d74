"""The city's own sign-in (OpenID Connect) against a provider on this machine, which lies where it can."""

import base64
import hashlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import Engine

from api.app import create
from api.cookies import COOKIE
from db.engine import now, reading, writing
from db.models import Role
from hotline import audit
from hotline.people import accounts
from settings import Settings, SettingsError, load
from tests.factories import a_user
from tests.kit.oidc_provider import CLIENT, SECRET, OidcProvider

CITY = "/api/v1/session/city"
OURS = "http://137.provider.example"


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        started.claims = {"preferred_username": "mayor"}
        yield started


@pytest.fixture
def settings(settings: Settings, provider: OidcProvider) -> Settings:
    """A city with its own sign-in, whose administrators need a second factor."""
    oidc = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET}
    changed = {f"oidc_{name}": value for name, value in oidc.items()}
    known = {"public_url": OURS, "second_factor_roles": ("administrator",)}
    return settings.model_copy(update=changed | known)


@pytest.fixture
def page(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    with writing(engine) as session:
        a_user(session, username="mayor").role = Role.OFFICIAL
        a_user(session, username="admin").role = Role.ADMINISTRATOR
    app = create(settings)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def way_back(page: TestClient) -> str:
    """Leaves for the city; the address at which it sends the browser back."""
    left = page.get(CITY)
    assert left.status_code == 302
    back = httpx.get(left.headers["location"], timeout=60).headers["location"]
    assert back.startswith(f"{OURS}{CITY}/back?")
    return back.removeprefix(OURS)


def come_back(page: TestClient) -> str:
    """Return the address at which the browser ends after the whole sign-in."""
    answer = page.get(way_back(page))
    assert answer.status_code == 303
    return str(answer.headers["location"])


def test_named_person_is_signed_in_with_our_role(page: TestClient, provider: OidcProvider) -> None:
    assert page.get("/api/v1/session").json() == {"step": "password", "city": True}
    assert come_back(page) == "/"
    me = page.get("/api/v1/me").json()
    assert (me["username"], me["role"]) == ("mayor", "official")
    (kept,) = [cookie for cookie in page.cookies.jar if cookie.name == COOKIE]
    assert kept.get_nonstandard_attr("SameSite") == "strict"
    asked, told = provider.asked["/city/authorize"], provider.asked["/city/token"]
    assert asked["code_challenge_method"] == "S256" and asked["client_id"] == CLIENT
    digest = hashlib.sha256(told["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]


def test_single_factor_of_the_provider_needs_ours(page: TestClient, provider: OidcProvider) -> None:
    provider.claims = {"preferred_username": "admin"}
    assert come_back(page) == "/"
    assert page.get("/api/v1/session").json()["step"] == "set-up"
    assert page.get("/api/v1/me").status_code == 401
    provider.claims["amr"] = ["pwd", "mfa"]
    assert come_back(page) == "/"
    assert page.get("/api/v1/me").json()["role"] == "administrator"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://evil.example"}, "city-refused"),
        ({"aud": "another application"}, "city-refused"),
        ({"nonce": "of another time"}, "city-refused"),
        ({"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200}, "city-refused"),
        ({"preferred_username": "nobody"}, "city-unknown"),
        ({"preferred_username": None}, "city-unknown"),
        ({"preferred_username": ["mayor"]}, "city-unknown"),
    ],
)
def test_faulty_token_signs_nobody_in_and_gives_the_reason(
    page: TestClient, provider: OidcProvider, claims: dict[str, Any], why: str
) -> None:
    provider.claims |= claims
    assert come_back(page) == f"/sign-in?refused={why}"
    assert page.get("/api/v1/me").status_code == 401
    assert COOKIE not in page.cookies


def test_token_signed_by_another_key_is_refused(page: TestClient, provider: OidcProvider) -> None:
    provider.key = RSAKey.generate_key(2048)
    assert come_back(page) == "/sign-in?refused=city-refused"


def test_foreign_or_used_return_address_is_refused(
    page: TestClient, provider: OidcProvider, settings: Settings
) -> None:
    back = way_back(page)
    with TestClient(create(settings), follow_redirects=False) as victim:
        assert victim.get(back).headers["location"] == "/sign-in?refused=city-refused"
        assert COOKIE not in victim.cookies
    assert page.get(back).headers["location"] == "/"
    assert page.get(back).headers["location"] == "/sign-in?refused=city-refused"
    for odd in ("", "?error=access_denied", "?code=x", "?state=x&code=x", "?state=" + "x" * 5000):
        assert page.get(f"{CITY}/back{odd}").headers["location"] == "/sign-in?refused=city-refused"


def test_absent_provider_is_reported(settings: Settings, engine: Engine, provider: OidcProvider) -> None:
    away = settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:9/city"})
    with TestClient(create(away), follow_redirects=False) as page:
        assert page.get(CITY).headers["location"] == "/sign-in?refused=city-away"


def test_issuer_is_optional_and_needs_a_client(
    settings: Settings, engine: Engine, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(create(settings.model_copy(update={"oidc_issuer": ""}))) as page:
        assert page.get(CITY).status_code == 404
        assert page.get("/api/v1/session").json()["city"] is False
    monkeypatch.setenv("HOTLINE_OIDC_ISSUER", "https://login.provider.example")
    with pytest.raises(SettingsError, match=r"HOTLINE_OIDC_ISSUER.*needs oidc\.client_id in directory\.toml"):
        load(_env_file=None)
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"HOTLINE_OIDC_{name}", "x")
    with pytest.raises(SettingsError, match=r"HOTLINE_OIDC_ISSUER.*needs HOTLINE_PUBLIC_URL"):
        load(_env_file=None)


@pytest.mark.parametrize(
    ("issuer", "is_taken"),
    [
        ("http://login.provider.example/staff", False),
        ("http://127.0.0.1.provider.example", False),
        ("https://login.provider.example/staff", True),
        ("http://127.0.0.1:8080/staff", True),
        ("http://[::1]:8080/staff", True),
    ],
)
def test_issuer_at_http_is_refused(monkeypatch: pytest.MonkeyPatch, issuer: str, is_taken: bool) -> None:
    values = {"OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "x", "PUBLIC_URL": OURS, "OIDC_ISSUER": issuer}
    for name, value in values.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    if is_taken:
        assert load(_env_file=None).oidc_issuer == issuer
    else:
        with pytest.raises(SettingsError, match=r"HOTLINE_OIDC_ISSUER.*begins with https://"):
            load(_env_file=None)


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_provider_that_leads_to_http_is_refused(page: TestClient, endpoint: str) -> None:
    page.get(CITY)
    page.app.state.city.server_metadata[endpoint] = "http://login.provider.example/x"  # type: ignore[attr-defined]
    assert page.get(CITY).headers["location"] == "/sign-in?refused=city-away"


def test_forged_host_still_returns_to_our_address(
    page: TestClient,
) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    left = page.get(CITY, headers=forged)
    assert parse_qs(urlsplit(left.headers["location"]).query)["redirect_uri"] == [f"{OURS}{CITY}/back"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 200),
        ({"aud": "another application"}, 400),
        ({"iss": "https://evil.example"}, 400),
        ({"iat": int(time.time()) - 3600}, 400),
        ({"nonce": "of a sign-in"}, 400),
        ({"events": {}}, 400),
        ({"events": None}, 400),
        ({"sub": ["1"]}, 400),
        ({"sub": "2"}, 200),
    ],
)
def test_faulty_log_out_token_keeps_the_session(
    page: TestClient, provider: OidcProvider, wrong: dict[str, Any], status: int
) -> None:
    assert come_back(page) == "/"
    log_out = {"http://schemas.openid.net/event/backchannel-logout": {}}
    right = {"iss": provider.issuer, "aud": CLIENT, "sub": "1", "iat": int(time.time()), "events": log_out}
    token = jwt.encode({"alg": "RS256", "kid": provider.key.kid}, right | wrong, provider.key)
    assert page.post(f"{CITY}/logout", data={"logout_token": token}).status_code == status
    ended = status == 200 and not wrong
    assert page.get("/api/v1/me").status_code == (401 if ended else 200)


def test_malformed_log_out_is_refused(
    page: TestClient,
) -> None:
    for odd in ("&".join(f"a{nth}=x" for nth in range(9)), "\0", "logout_token=%ff%fe"):
        assert page.post(f"{CITY}/logout", content=odd).status_code == 400


def test_changed_provider_keys_are_fetched_once_a_minute(page: TestClient, provider: OidcProvider) -> None:
    assert come_back(page) == "/"
    provider.key = provider.shown_key = RSAKey.generate_key(2048, auto_kid=True)
    log_out = {"http://schemas.openid.net/event/backchannel-logout": {}}
    claims = {"iss": provider.issuer, "aud": CLIENT, "sub": "1", "iat": int(time.time()), "events": log_out}
    token = jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, provider.key)
    assert page.post(f"{CITY}/logout", data={"logout_token": token}).status_code == 200
    assert page.get("/api/v1/me").status_code == 401
    provider.asked.clear()
    strange = RSAKey.generate_key(2048, auto_kid=True)
    forged = jwt.encode({"alg": "RS256", "kid": strange.kid}, claims, strange)
    assert page.post(f"{CITY}/logout", data={"logout_token": forged}).status_code == 400
    assert "/city/keys" not in provider.asked


def test_person_disabled_here_is_not_signed_in(page: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        user = accounts.find_by_name(session, "mayor")
        assert user
        user.disabled_at = now(session)
    assert come_back(page) == "/sign-in?refused=city-unknown"
    with reading(engine) as session:
        assert [each.action for each in audit.search(session)] == []
