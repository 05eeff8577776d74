"""Health of each part: /livez and /readyz for machines, /healthz for people, with details for insiders."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.access import Database, InForce
from api.internal_access import IsInsider
from api.readiness import PROCESSES, Readiness, mark_unknown_if_nobody_writes
from db.engine import reading
from db.models import TrunkState
from db.trusted_time import find_doubt
from hotline import heartbeats
from hotline.directory import state
from hotline.errors import Refused
from hotline.messages import delivery_reports
from hotline.nodes import administration
from hotline.recordings import disk
from hotline.trunk import call_caps, circuit_breaker, selection, status
from hotline.trunk.status import Is
from settings import Settings

router = APIRouter(tags=["health"])

_OR_PROXY = "; or the SIP proxy before it, {}, is"
_ANEW = {"Cache-Control": "no-store"}


@router.get("/healthz")
def healthz(
    request: Request, engine: Database, settings: InForce, inside: IsInsider, response: Response
) -> dict[str, str]:
    """200 when all is up, 503 otherwise; each dependency is "up", "down" or "unknown".

    `ivr`, `dialer` and `scheduler` report by heartbeat; the dialer also reports whether Asterisk answers it.
    `database` is "down" while it accepts no writes. `scheduler` is "stuck in JOB for N s" while one of its
    jobs does not end. `calls` is "capped", with the cap's name, while no call may be placed. `disk` is
    "nearly full" early enough to mend it. `texts` is "in trouble: …" if a provider of text messages has
    little credit or refuses our account. `directory`, where there is one, is "in trouble: …" while it cannot
    be asked or believed. `clock` appears, "in trouble", while the database's clock has leapt: nothing is
    closed or deleted. `trunk` and `calls` are "down since …, the line is kept" while calls fail by our own
    fault. With HOTLINE_SIP_PROXY, `trunk` says that the SIP proxy may be down instead.

    Only `database`, `asterisk`, `ivr`, `dialer` and `scheduler` decide between 200 and 503, since no restart
    mends the others.

    An insider comes by HOTLINE_INSIDERS or HOTLINE_METRICS_TOKEN, or is a signed-in administrator. Everybody
    else gets `hotline` alone: "up" or "down".
    """
    result = check(engine, settings, check_readiness(request))
    up = {result[name] for name in ("database", *PROCESSES)} == {"up"}
    response.status_code = 200 if up else 503
    response.headers.update(_ANEW)
    return result if inside else {"hotline": "up" if up else "down"}


@router.get("/livez", include_in_schema=False)
async def livez() -> Response:
    """204 as long as the API answers requests, whatever the database does."""
    return Response(status_code=204, headers=_ANEW)


@router.get("/readyz")
def readyz(request: Request, response: Response) -> dict[str, str]:
    """200 when every part is up, 503 otherwise; each part is "up", "down" or "unknown".

    `database`: it answers and accepts writes. `tables`: they are this version's. `asterisk`, `ivr`, `dialer`,
    `scheduler`: their heartbeat is fresh.
    """
    parts = check_readiness(request).parts()
    response.status_code = 200 if set(parts.values()) == {"up"} else 503
    response.headers.update(_ANEW)
    return parts


@router.get("/readyz/{part}")
def readyz_part(part: str, request: Request, response: Response) -> dict[str, str]:
    """The same for one part: a load balancer before the pages asks for `database`."""
    parts = check_readiness(request).parts()
    if part not in parts:
        raise Refused("not-found", "there is no such part")
    response.status_code = 200 if parts[part] == "up" else 503
    response.headers.update(_ANEW)
    return {part: parts[part]}


def check_readiness(request: Request) -> Readiness:
    """Return this API's readiness."""
    found: Readiness = request.app.state.readiness
    return found


def check(engine: Engine, settings: Settings, ready: Readiness) -> dict[str, str]:
    """Return each dependency's state by its name, as `healthz` describes."""
    result = {"database": "down", **dict.fromkeys((*PROCESSES, "calls", "trunk", "texts"), "unknown")}
    result["disk"] = "nearly full" if disk.find_disk(settings.state_dir).nearly_full else "up"
    try:
        with reading(engine) as session:
            for process in PROCESSES:
                result[process] = "up" if heartbeats.is_alive(session, process) else "down"
            stuck = heartbeats.find_stuck_job(session) if result["scheduler"] == "up" else None
            if stuck:
                job, since = stuck
                result["scheduler"] = f"stuck in {job} for {since.total_seconds():.0f} s"
            result |= _calls(session, settings) | _trunks(session, settings) | _nodes(session)
            result["texts"] = _texts(session, settings)
            if doubt := find_doubt(session):
                until = f"{doubt.until:%Y-%m-%dT%H:%M:%SZ}"
                result["clock"] = f"in trouble: it leapt; nothing is closed or deleted until {until}"
            if settings.ldap_url or settings.oidc_issuer:
                result["directory"] = _directory(session)
    except Exception:  # any failure means: the database is down
        return result
    if result["dialer"] == "down":
        result["asterisk"] = "unknown"
    # Every process has written lately, else a write is tried.
    doubted = heartbeats.is_silent(engine) or "down" in {result[name] for name in PROCESSES}
    result["database"] = "down" if doubted and not ready.is_taken() else "up"
    return mark_unknown_if_nobody_writes(result)


def _calls(session: Session, settings: Settings) -> dict[str, str]:
    down = circuit_breaker.find_outage(session)
    if down:
        return {"calls": f"down since {down.since:%Y-%m-%dT%H:%M:%SZ}, the line is kept"}
    calls, cap = call_caps.find_capacity(session, settings)
    return {"calls": "up" if calls > 0 else f"capped {cap}"}


def _trunks(session: Session, settings: Settings) -> dict[str, str]:
    names = [trunk.name for trunk in settings.trunks]
    told = status.list_statuses(session, names)
    whole = status.find_best(told)
    perhaps = _OR_PROXY.format(settings.sip_proxy) if settings.sip_proxy and whole.since else ""
    result = {"trunk": _in_words(whole) + perhaps}
    if len(names) > 1:
        found = selection.find_states(session, names)
        result |= {f"trunk {name}": _of_trunk(told[name], found.get(name)) for name in names}
    return result


def _nodes(session: Session) -> dict[str, str]:
    """Return the node's state among several: live, draining, no-asterisk, no-trunk, no-ivr, silent, gone."""
    found = administration.list_states(session)
    return {f"node {name}": word for name, word in found.items()} if len(found) > 1 else {}


def _in_words(word: status.Status) -> str:
    if word.since is None:
        return "unknown" if word.state is Is.UNHEARD else "up"
    return f"down since {word.since:%Y-%m-%dT%H:%M:%SZ}" + (", the line is kept" if word.held else "")


def _of_trunk(word: status.Status, row: TrunkState | None) -> str:
    said = _in_words(word)
    if row and row.down_since and word.state is Is.DOWN:
        said += f", it says {row.said}" if row.said else ", it says nothing"
    elif row and word.state is Is.UP and row.latency_ms is not None:
        said += f", {row.latency_ms:.0f} ms"
    return said + (", not registered: it cannot call us" if row and row.registered is False else "")


def _texts(session: Session, settings: Settings) -> str:
    providers = [name for name in (settings.sms_provider, *settings.sms_next) if name]
    said = delivery_reports.find_trouble(session, providers, settings.sms_least_credit)
    return f"in trouble: {said}" if said else "up"


def _directory(session: Session) -> str:
    found = state.find_trouble(session)
    return f"in trouble: {found}" if found else "up"
