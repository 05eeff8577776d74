"""Proxies before the server: whom it believes about a browser's address and HTTPS, and whom not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from sqlalchemy import Engine

from api.limits import PASSWORD_BURST
from db.engine import reading, writing
from db.models import SignIn
from settings import Settings
from tests.factories import PASSWORD, a_user
from tests.kit.served import served

PROXY, OTHER = "127.0.0.3", "127.0.0.4"
SESSION = "/api/v1/session"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"trusted_proxies": ("127.0.0.2/31",)})


@pytest.fixture
def from_(settings: Settings, engine: Engine) -> Iterator[Callable[[str], httpx.Client]]:
    """A client at one of this machine's addresses."""
    with writing(engine) as session:
        a_user(session, username="operator")
    with served(settings) as url, ExitStack() as closing:

        def client(address: str) -> httpx.Client:
            transport = httpx.HTTPTransport(local_address=address)
            return closing.enter_context(httpx.Client(base_url=url, transport=transport, timeout=60))

        yield client


def sign_in(client: httpx.Client, password: str = PASSWORD, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(SESSION, json={"username": "operator", "password": password}, headers=named)


@contextmanager
def last_session(engine: Engine) -> Iterator[SignIn]:
    with reading(engine) as session:
        yield session.query(SignIn).order_by(SignIn.created_at.desc()).limit(1).one()


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the first was the browser's own invention
        ("203.0.113.9, 198.51.100.7, 127.0.0.2", "198.51.100.7"),  # two proxies
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("198.51.100.7, nonsense", PROXY),  # what the proxy said is no address
        ("", PROXY),
    ],
)
def test_last_untrusted_address_of_a_trusted_proxy_counts(
    from_: Callable[[str], httpx.Client], engine: Engine, forwarded: str, address: str
) -> None:
    assert sign_in(from_(PROXY), X_Forwarded_For=forwarded).status_code == 200
    with last_session(engine) as kept:
        assert kept.address == address


def test_forged_proxy_headers_change_nothing(from_: Callable[[str], httpx.Client], engine: Engine) -> None:
    answer = sign_in(from_(OTHER), X_Forwarded_For="198.51.100.7", X_Forwarded_Proto="https")
    assert answer.status_code == 200
    assert "secure" not in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" not in answer.headers
    with last_session(engine) as kept:
        assert kept.address == OTHER


def test_https_at_a_trusted_proxy_sets_secure_cookies_and_hsts(
    from_: Callable[[str], httpx.Client],
) -> None:
    answer = sign_in(from_(PROXY), X_Forwarded_For="198.51.100.7", X_Forwarded_Proto="https")
    for cookie in answer.headers.get_list("set-cookie"):
        assert "secure" in cookie.lower(), cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_exhausted_guesses_behind_a_proxy_spare_others(
    from_: Callable[[str], httpx.Client],
) -> None:
    proxy, stranger = from_(PROXY), from_(OTHER)
    guess = {"ticket": "0000000"}
    for client, headers in ((proxy, {"X-Forwarded-For": "203.0.113.9"}), (stranger, {})):
        codes = [client.post("/public/number", data=guess, headers=headers).status_code for _ in range(12)]
        assert codes[0] == 404 and codes[-1] == 429
        forged = [
            client.post(
                "/public/number", data=guess, headers={"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.9"}
            )
            for n in range(2)
        ]
        assert {answer.status_code for answer in forged} == {429}
    other = proxy.post("/public/number", data=guess, headers={"X-Forwarded-For": "198.51.100.7"})
    assert other.status_code == 404
    assert PASSWORD_BURST > 12
