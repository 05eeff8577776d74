"""The city's own sign-in against a certified provider: groups, leaving, log-out, a provider that is away."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from api.app import create
from db.engine import reading, writing
from db.models import SignIn, User
from hotline import audit
from hotline.directory import oidc, oidc_provider, state
from hotline.directory.ldap_connection import Away
from settings import Settings
from tests.factories import a_user
from tests.kit.certified_provider import CertifiedProvider
from tests.kit.oidc_provider import CLIENT, SECRET

CITY = "/api/v1/session/city"
OURS = "http://137.provider.example"
BACK = f"{OURS}{CITY}/back"
ROLES = "[[role]]\ngroup = 'chiefs'\nrole = 'supervisor'\n[[role]]\ngroup = 'ops'\nrole = 'operator'\n"


@pytest.fixture(scope="module")
def provider() -> Iterator[CertifiedProvider]:
    with CertifiedProvider(BACK) as started:
        yield started


@pytest.fixture
def settings(settings: Settings, provider: CertifiedProvider, tmp_path: Path) -> Settings:
    (tmp_path / "roles.toml").write_text(ROLES)
    return settings.model_copy(
        update={
            "public_url": OURS,
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "directory_roles": tmp_path / "roles.toml",
        }
    )


@pytest.fixture(autouse=True)
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look asks after everybody, however soon it comes after the last."""
    monkeypatch.setattr(oidc, "_AGAIN", timedelta(0))


class Browser:
    """One browser, here and at the city's."""

    def __init__(self, settings: Settings, provider: CertifiedProvider) -> None:
        self.here = TestClient(create(settings), follow_redirects=False)
        self.there, self._provider = httpx.Client(timeout=30), provider

    def sign_in(self, subject: str) -> str:
        """Goes the whole way; where it ends."""
        leave = self.here.get(CITY).headers["location"]
        back = self._provider.way_back(self.there, leave, subject)
        return str(self.here.get(back.removeprefix(OURS)).headers["location"])

    @property
    def is_in(self) -> bool:
        return self.here.get("/api/v1/me").status_code == 200


def an_account(name: str, *groups: str) -> dict[str, object]:
    return {"preferred_username": name, "name": f"نام {name}", "groups": list(groups)}


def test_person_of_a_group_is_known_until_leaving_it(
    provider: CertifiedProvider, settings: Settings, engine: Engine
) -> None:
    provider.accounts({"1": an_account("Ali.K", "staff", "ops"), "2": an_account("stays", "ops")})
    ali, other = Browser(settings, provider), Browser(settings, provider)
    assert (ali.sign_in("1"), other.sign_in("2")) == ("/", "/")
    me = ali.here.get("/api/v1/me").json()
    assert (me["username"], me["name"], me["role"]) == ("ali.k", "نام Ali.K", "operator")
    with reading(engine) as session:
        kept = session.scalars(select(SignIn.city_token)).all()
        assert all(kept), "the provider gave a refresh token"
    assert oidc.take(engine, settings) == oidc.take(engine, settings) == "", "also with the token after it"
    with reading(engine) as session:
        assert not set(session.scalars(select(SignIn.city_token))) & set(kept), "each is used once"
    provider.accounts({"1": an_account("Ali.K", "chiefs"), "2": an_account("stays", "ops")})
    assert oidc.take(engine, settings) == ""
    assert ali.here.get("/api/v1/me").json()["role"] == "supervisor"
    provider.accounts({"1": an_account("Ali.K"), "2": an_account("stays", "ops")})
    assert oidc.take(engine, settings) == ""
    assert (ali.is_in, other.is_in) == (False, True)
    with reading(engine) as session:
        assert session.scalars(select(User).where(User.username == "ali.k")).one().disabled_at
        assert audit.search(session)[0].reason == "directory-no-group"


def test_account_deleted_at_the_provider_ends_its_session(
    provider: CertifiedProvider, settings: Settings, engine: Engine
) -> None:
    provider.accounts({"3": an_account("leaves", "ops"), "4": an_account("remains", "ops")})
    leaver, other = Browser(settings, provider), Browser(settings, provider)
    assert (leaver.sign_in("3"), other.sign_in("4")) == ("/", "/")
    provider.accounts({"4": an_account("remains", "ops")})
    assert oidc.take(engine, settings) == ""
    assert (leaver.is_in, other.is_in) == (False, True)
    with reading(engine) as session:
        assert audit.search(session)[0].reason == "directory-ended"


def test_provider_that_is_away_or_empty_ends_no_session(
    provider: CertifiedProvider, settings: Settings, engine: Engine
) -> None:
    provider.accounts({"5": an_account("one", "ops"), "6": an_account("two", "ops")})
    one, two = Browser(settings, provider), Browser(settings, provider)
    assert (one.sign_in("5"), two.sign_in("6")) == ("/", "/")
    provider.stop()
    try:
        assert oidc.take(engine, settings) == "away"
        with reading(engine) as session:
            found = state.find_trouble(session)
        assert found is not None and found.name == "oidc"
    finally:
        provider.start()
    assert oidc.take(engine, settings) == "many-gone", "it has forgotten all of its sessions"
    assert one.is_in and two.is_in
    assert oidc.take(engine, settings, believe=True) == ""
    assert not one.is_in and not two.is_in


def test_log_out_at_the_provider_ends_the_session_here(
    provider: CertifiedProvider, settings: Settings, engine: Engine
) -> None:
    provider.accounts({"7": an_account("goes", "ops")})
    browser, elsewhere = Browser(settings, provider), Browser(settings, provider)
    assert (browser.sign_in("7"), elsewhere.sign_in("7")) == ("/", "/")
    token = provider.sign_out(browser.there)
    address = f"{CITY}/logout"
    for wrong in ("", "x", token[:-8] + "AAAAAAAA", token.split(".")[1]):
        assert browser.here.post(address, data={"logout_token": wrong}).status_code == 400
    assert browser.here.post(address, data={}).status_code == 400
    assert browser.is_in
    assert browser.here.post(address, data={"logout_token": token}).status_code == 200
    assert (browser.is_in, elsewhere.is_in) == (False, True), "that session, and no other of the person's"


def test_local_account_or_missing_group_is_refused(
    provider: CertifiedProvider, settings: Settings, engine: Engine
) -> None:
    with writing(engine) as session:
        a_user(session, username="rescue")
    provider.accounts({"8": an_account("Rescue", "ops"), "9": an_account("guest", "others")})
    assert Browser(settings, provider).sign_in("8") == "/sign-in?refused=directory-name-taken"
    assert Browser(settings, provider).sign_in("9") == "/sign-in?refused=directory-no-role"


def test_nonsense_about_one_session_spares_the_others(
    provider: CertifiedProvider, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("odd", "leaver", "third", "fourth", "fifth")
    provider.accounts({f"1{nth}": an_account(name, "ops") for nth, name in enumerate(names)})
    odd, leaver, *others = (Browser(settings, provider) for _ in names)
    assert [each.sign_in(f"1{nth}") for nth, each in enumerate((odd, leaver, *others))] == ["/"] * 5
    provider.accounts({f"1{nth}": an_account(name, "ops") for nth, name in enumerate(names) if nth != 1})
    refreshed = oidc_provider.Provider.refreshed

    def strange(self: oidc_provider.Provider, asked: oidc_provider.Asked) -> oidc_provider.Fresh | None:
        if asked.city_id == oidc_provider.hash_id("10"):
            raise Away("refused", "status 401")
        return refreshed(self, asked)

    monkeypatch.setattr(oidc_provider.Provider, "refreshed", strange)
    assert oidc.take(engine, settings) == "refused"
    assert [each.is_in for each in (odd, leaver, *others)] == [True, False, True, True, True]
