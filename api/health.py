"""GET /healthz: is each dependency up?"""

from fastapi import APIRouter, Response

from api.access import Database
from db.engine import reading
from hotline import status

router = APIRouter(tags=["health"])

_PROCESSES = ("asterisk", "ivr", "dialer", "clerk")


@router.get("/healthz")
def healthz(engine: Database, response: Response) -> dict[str, str]:
    """200 when all is up, 503 otherwise; each dependency is "up", "down" or "unknown".

    ivr, dialer and clerk say themselves that they live; the dialer also says whether Asterisk answers it.
    """
    result = {"database": "down", **dict.fromkeys(_PROCESSES, "unknown")}
    try:
        with reading(engine) as session:
            for process in _PROCESSES:
                result[process] = "up" if status.alive(session, process) else "down"
            result["database"] = "up"
    except Exception:  # whatever the reason: that is the answer
        response.status_code = 503
        return result
    if result["dialer"] == "down":
        result["asterisk"] = "unknown"
    if set(result.values()) != {"up"}:
        response.status_code = 503
    return result
