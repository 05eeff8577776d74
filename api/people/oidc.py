"""Signing in with the city's own accounts by OpenID Connect, if oidc.issuer is set.

The city says who somebody is. Our own list of people says what they may do; with a file of roles, the
city's groups do.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy.orm import Session
from starlette.middleware.sessions import SessionMiddleware

from api import cookies
from api.access import Database, InForce
from api.people.sessions import record_sign_in
from db.engine import writing
from db.models import User
from hotline.directory import oidc
from hotline.directory.roles import RolesError
from hotline.errors import Refused
from hotline.people import accounts, second_factor
from settings import Settings
from settings.values import is_safe

router = APIRouter(prefix="/session/city", include_in_schema=False)
log = logging.getLogger("api")

_PATH = "/api/v1/session/city"
_WAY_S = 600
"""Seconds from leaving for the city's sign-in to coming back."""
_LEEWAY_S = 60
_FRESH_S = 300
_KEYS_S = 60
_LOG_OUT = "http://schemas.openid.net/event/backchannel-logout"
_SIGNED = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_SEVERAL_FACTORS = "mfa"
"""In `amr` (RFC 8176): the city has checked a second factor itself, so ours is not asked for."""


def add_sign_in(app: FastAPI, v1: APIRouter, settings: Settings) -> None:
    """Install the city's sign-in."""
    https = settings.public.startswith("https:")
    app.state.city = OAuth().register(
        "city",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": " ".join(settings.oidc_scopes),
            "code_challenge_method": "S256",
            "timeout": 5,
        },
    )
    v1.include_router(router)
    # This cookie holds the sign-in's state while the browser is away. It comes back from another site, so not
    # "strict".
    app.add_middleware(
        SessionMiddleware,
        secret_key=settings.secret_for("the city's sign-in"),
        session_cookie="__Secure-hotline_city" if https else "hotline_city",
        path=_PATH,
        max_age=_WAY_S,
        same_site="lax",
        https_only=https,
    )


@router.get("")
async def leave(request: Request, settings: InForce) -> Response:
    """Go to the city's sign-in. It sends the browser back to HOTLINE_PUBLIC_URL, whatever the request's Host
    is.
    """
    try:
        await _check_addresses(request)
        left: Response = await _city(request).authorize_redirect(request, f"{settings.public}{_PATH}/back")
    except (AuthlibBaseError, httpx.HTTPError, ValueError, KeyError, RuntimeError) as error:
        return _refused("city-away", error)
    return left


@router.get("/back")
async def come_back(request: Request, engine: Database, settings: InForce) -> Response:
    """Come back from the city's sign-in; a person known here is signed in."""
    issuer = {"iss": {"essential": True, "value": settings.oidc_issuer}}
    try:
        await _check_addresses(request)
        token = await _city(request).authorize_access_token(request, claims_options=issuer, leeway=_LEEWAY_S)
        claims = token["userinfo"]
    except httpx.HTTPError as error:
        return _refused("city-away", error)
    except (AuthlibBaseError, JoseError, ValueError, KeyError, RuntimeError) as error:
        return _refused("city-refused", error)
    several = (
        _SEVERAL_FACTORS in (claims.get("amr") or ()) or claims.get("acr") in settings.oidc_second_factor
    )
    response = RedirectResponse("/", 303)

    def enter() -> str:
        with writing(engine) as session:
            try:
                user = _person(session, claims, settings)
            except Refused as refused:
                return refused.code
            except RolesError as error:
                log.error("%s", error)
                return "directory-no-role"
            begun = cookies.begin(request, response, session, user, settings, second_factor=several)
            oidc.remember(begun, token, claims, settings)
            if not second_factor.is_due(begun, settings):
                cookies.remember(request, response, begun, settings)
                record_sign_in(session, request, user)
            return ""

    refused = await run_in_threadpool(enter)
    return _refused(refused, None) if refused else response


@router.post("/logout")
async def log_out(request: Request, engine: Database, settings: InForce) -> Response:
    """End our sessions of a session that ended at the city (Back-Channel Logout 1.0)."""
    try:
        form = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=5)
        claims = await _log_out_claims(request, form["logout_token"][0], settings)
    except (
        AuthlibBaseError,
        JoseError,
        httpx.HTTPError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
    ) as error:
        log.warning("the city's log-out: refused (%s)", type(error).__name__)
        return Response(status_code=400, headers={"Cache-Control": "no-store"})

    def end() -> None:
        with writing(engine) as session:
            oidc.end(session, claims.get("sub"), claims.get("sid"))

    await run_in_threadpool(end)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


async def _log_out_claims(request: Request, token: str, settings: Settings) -> dict[str, Any]:
    """Return the claims of a log-out token meant for us. Raises ValueError, KeyError or JoseError."""
    city = _city(request)
    try:
        claims = _signed(token, await city.fetch_jwk_set())
    # the city may have changed its keys; a forged token cannot make us fetch them more often
    except (JoseError, ValueError):
        asked_at = getattr(request.app.state, "city_keys_at", float("-inf"))
        if time.monotonic() - asked_at < _KEYS_S:
            raise
        request.app.state.city_keys_at = time.monotonic()
        claims = _signed(token, await city.fetch_jwk_set(force=True))
    audience = claims["aud"]
    meant = settings.oidc_client_id in (audience if isinstance(audience, list) else [audience])
    fresh = abs(time.time() - float(claims["iat"])) < _FRESH_S
    named = all(isinstance(claims.get(name), str | None) for name in ("sub", "sid"))
    is_one = _LOG_OUT in claims["events"] and "nonce" not in claims
    if not (claims["iss"] == settings.oidc_issuer and meant and fresh and named and is_one):
        raise ValueError("no log-out of ours")
    return claims


def _signed(token: str, keys: Any) -> dict[str, Any]:
    return jwt.decode(token, KeySet.import_key_set(keys), algorithms=_SIGNED).claims


def _person(session: Session, claims: Mapping[str, Any], settings: Settings) -> User:
    if settings.directory_roles:
        return oidc.find_or_admit(session, claims, settings)
    username = claims.get(settings.oidc_claim)
    user = accounts.find_by_name(session, username) if isinstance(username, str) else None
    if user is None or user.from_directory or user.disabled_at:
        raise Refused("city-unknown", "no such person here")
    return user


def _city(request: Request) -> StarletteOAuth2App:
    return request.app.state.city


async def _check_addresses(request: Request) -> None:
    """Refuse a provider whose metadata names an http address.

    Raises ValueError, and what its client raises.
    """
    told = await _city(request).load_server_metadata()
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        if name in told and not is_safe(str(told[name])):
            raise ValueError(f"its {name} is at http")


def _refused(code: str, error: Exception | None) -> Response:
    """Redirect to the sign-in page, which shows the error.

    The log has it for engineers, without the token.
    """
    log.warning("the city's sign-in: %s (%s)", code, type(error).__name__ if error else "no such person")
    return RedirectResponse(f"/sign-in?refused={code}", 303)
