"""GET /healthz: is each dependency up?"""

from fastapi import APIRouter, Response
from sqlalchemy import Engine

from api.access import Database, InForce
from db.engine import reading
from hotline import retention, status, toll
from settings import Settings

router = APIRouter(tags=["health"])

_PROCESSES = ("asterisk", "ivr", "dialer", "clerk")


@router.get("/healthz")
def healthz(engine: Database, settings: InForce, response: Response) -> dict[str, str]:
    """200 when all is up, 503 otherwise; each dependency is "up", "down" or "unknown".

    ivr, dialer and clerk say themselves that they live; the dialer also says whether Asterisk answers it.
    `calls` is "capped", by the cap's name, while no call may be placed; `disk` is "nearly full" in time to
    mend it; neither is a fault yet.
    """
    result = check(engine, settings)
    if {result[name] for name in ("database", *_PROCESSES)} != {"up"}:
        response.status_code = 503
    return result


def check(engine: Engine, settings: Settings) -> dict[str, str]:
    """Each dependency by its name, as above."""
    result = {"database": "down", **dict.fromkeys((*_PROCESSES, "calls"), "unknown")}
    result["disk"] = "nearly full" if retention.disk(settings.state_dir).nearly_full else "up"
    try:
        with reading(engine) as session:
            for process in _PROCESSES:
                result[process] = "up" if status.alive(session, process) else "down"
            calls, cap = toll.room(session, settings)
            result["calls"] = "up" if calls > 0 else f"capped {cap}"
            result["database"] = "up"
    except Exception:  # whatever the reason: that is the answer
        return result
    if result["dialer"] == "down":
        result["asterisk"] = "unknown"
    return result
