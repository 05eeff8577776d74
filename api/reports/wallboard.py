"""The wallboard, and the screens that show it."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from api import health
from api.access import WALL_COOKIE, Database, InForce, MayMove, Reading, Writing, admit_watcher
from api.cookies import keep_cookie
from hotline.people import wallboard_screens
from hotline.reports import wallboard

router = APIRouter(prefix="/wallboard", tags=["wallboard"])


class Wallboard(BaseModel):
    """The wallboard's data, and each dependency of the system as /healthz names it."""

    now: wallboard.Board
    health: dict[str, str]


@router.get("", dependencies=[Depends(admit_watcher)])
def show(request: Request, session: Reading, engine: Database, settings: InForce) -> Wallboard:
    """Lines, desks and today's hours at this moment. No citizen is named."""
    found = health.check(engine, settings, health.check_readiness(request))
    return Wallboard(now=wallboard.build_wallboard(session), health=found)


@router.post("/screen", status_code=204)
def hang(user: MayMove, request: Request, response: Response, session: Writing) -> None:
    """Make this browser a wall screen for half a year; it sees only the wallboard."""
    wall = wallboard_screens.add_screen(session, who=user.username)
    keep_cookie(request, response, wall, wallboard_screens.LENGTH, WALL_COOKIE)


@router.delete("/screens", status_code=204)
def take_down(user: MayMove, session: Writing) -> None:
    """Switch off all wall screens."""
    wallboard_screens.take_down(session, who=user.username)
