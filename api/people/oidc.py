"""Signing in with the city's own accounts: OpenID Connect, where it is set (HOTLINE_OIDC_ISSUER).

Who somebody is, the city says; what they may do here, our own list of people.
"""

import logging

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware

from api import cookies
from api.access import Database, InForce
from api.people.sessions import signed_in
from db.engine import writing
from hotline.people import accounts, second_factor
from settings import Settings

router = APIRouter(prefix="/session/city", include_in_schema=False)
log = logging.getLogger("api")

_PATH = "/api/v1/session/city"
_WAY_S = 600
"""From leaving for the city's sign-in to coming back."""
_LEEWAY_S = 60
_SEVERAL_FACTORS = "mfa"
"""In `amr` (RFC 8176): the city has asked for a second factor itself, so ours is not asked for."""


def install(app: FastAPI, v1: APIRouter, settings: Settings) -> None:
    """Offer the city's sign-in."""
    https = settings.public.startswith("https:")
    app.state.city = OAuth().register(
        "city",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256", "timeout": 5},
    )
    v1.include_router(router)
    # Where the way is kept while the browser is away; it comes back from another site, so not "strict".
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
    """Go to the city's sign-in, which sends back to where we are known to be, whatever the request says."""
    try:
        left: Response = await _city(request).authorize_redirect(request, f"{settings.public}{_PATH}/back")
    except (AuthlibBaseError, httpx.HTTPError, ValueError, KeyError, RuntimeError) as error:
        return _refused("city-away", error)
    return left


@router.get("/back")
async def come_back(request: Request, engine: Database, settings: InForce) -> Response:
    """Come back from it; whoever it names and is known here is signed in."""
    issuer = {"iss": {"essential": True, "value": settings.oidc_issuer}}
    try:
        token = await _city(request).authorize_access_token(request, claims_options=issuer, leeway=_LEEWAY_S)
        claims = token["userinfo"]
    except httpx.HTTPError as error:
        return _refused("city-away", error)
    except (AuthlibBaseError, JoseError, ValueError, KeyError, RuntimeError) as error:
        return _refused("city-refused", error)
    username = claims.get(settings.oidc_claim)
    several = _SEVERAL_FACTORS in (claims.get("amr") or ())
    response = RedirectResponse("/", 303)

    def enter() -> bool:
        with writing(engine) as session:
            user = accounts.named(session, username) if isinstance(username, str) else None
            if user is None:
                return False
            begun = cookies.begin(request, response, session, user, settings, second_factor=several)
            if not second_factor.is_due(begun, settings):
                cookies.remember(request, response, begun, settings)
                signed_in(session, request, user)
            return True

    return response if await run_in_threadpool(enter) else _refused("city-unknown", None)


def _city(request: Request) -> StarletteOAuth2App:
    return request.app.state.city


def _refused(code: str, error: Exception | None) -> Response:
    """Back to the sign-in page, which says why; the log says it to an engineer, without the token."""
    log.warning("the city's sign-in: %s (%s)", code, type(error).__name__ if error else "no such person")
    return RedirectResponse(f"/sign-in?refused={code}", 303)
