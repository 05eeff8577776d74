"""Serving a round from a desk: next, nearly over, not now, pause; screening citizens who wait."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import MAY_ANSWER, AtDesk, Database, InForce, MayChange, MayMove, Reading, SignedIn, Writing
from api.desk import desk_schemas, serving_schemas
from api.ids import PathId
from db import models
from db.engine import reading, writing
from hotline.callbacks import assignment, direct_routing, notes, screening, serving, transitions
from hotline.desks import supervising
from hotline.errors import Refused
from hotline.rounds import phases, round_permissions

router = APIRouter(tags=["serving"])


def _desk(session: Session, user: models.User) -> models.Desk:
    return session.get_one(models.Desk, user.desk_id)


@router.get("/rounds/{round_id}/stage")
def stage(round_id: PathId, user: SignedIn, session: Reading) -> serving_schemas.Stage:
    """The served round at this moment; an official sees only their own."""
    round_ = phases.get(session, round_id)
    round_permissions.check_sees(session, user, round_)
    return describe_stage(session, round_)


@router.put("/desk/round")
def serve(body: serving_schemas.Serve, user: AtDesk, session: Writing, settings: InForce) -> schemas.Me:
    """Let my desk serve this round, or none."""
    desk = _desk(session, user)
    if body.round_id is None:
        serving.leave(session, desk, settings)
    else:
        serving.serve(session, desk, body.round_id, settings)
    return _me(session, user)


@router.put("/desk/live-calls")
def take_live_calls(body: serving_schemas.TakesLive, user: AtDesk, session: Writing) -> schemas.Me:
    """Choose whether callers who wait for an operator are connected with my desk automatically."""
    round_permissions.check_serves(session, user, phases.get_operators_line(session))
    direct_routing.set_live_calls(session, _desk(session, user), body.takes)
    return _me(session, user)


@router.put("/desk/break")
def take_break(body: serving_schemas.BreakIn, user: AtDesk, session: Writing) -> schemas.Me:
    """Start a break of my desk with its reason, or end it."""
    serving.take_break(session, _desk(session, user), body.reason)
    return _me(session, user)


@router.put("/desk/hears")
def hear(body: serving_schemas.Hears, user: MayMove, session: Writing) -> schemas.Me:
    """Let my phone join a desk's conversation, or leave it; the audit log shows both."""
    if user.desk_id is None:
        raise Refused("no-desk", "this person has no desk")
    desk = _desk(session, user)
    if body.desk_id is None:
        supervising.stop_by(session, desk, who=user.username)
    else:
        supervising.hear(session, desk, body.desk_id, body.how, who=user.username)
    return _me(session, user)


@router.post("/desk/next")
def ask_next(body: serving_schemas.AskNext, user: AtDesk, engine: Database, settings: InForce) -> schemas.Me:
    """End my conversation and get the next citizen: at once if one waits, else as soon as one does."""
    with writing(engine) as session:
        serving.ask_next(session, _desk(session, user), body.after, settings, confirmed=body.confirmed)
    with reading(engine) as session:  # in a new transaction: the dialer can connect the citizen meanwhile
        return _me(session, user)


@router.post("/desk/not-now")
def not_now(user: AtDesk, session: Writing) -> schemas.Me:
    """Withdraw my request for the next citizen."""
    serving.withdraw_request(session, _desk(session, user))
    return _me(session, user)


@router.post("/desk/finishing")
def finishing(user: AtDesk, session: Writing) -> schemas.Callback:
    """Mark my conversation as nearly over, so that the next citizen is called."""
    return views.describe_callback(session, serving.announce_end(session, _desk(session, user)))


@router.post("/rounds/{round_id}/pause")
def pause(round_id: PathId, user: MayChange, session: Writing) -> schemas.Round:
    """Pause the round's callbacks; for its official, operators, and roles that conduct rounds."""
    round_ = phases.get(session, round_id)
    round_permissions.pause(session, round_, user)
    return views.find_round(session, round_)


@router.post("/rounds/{round_id}/resume")
def resume(round_id: PathId, user: MayChange, session: Writing) -> schemas.Round:
    """Continue the round's callbacks."""
    round_ = phases.get(session, round_id)
    round_permissions.resume(session, round_, user)
    return views.find_round(session, round_)


@router.post("/callbacks/{callback_id}/screen")
def screen(callback_id: PathId, user: AtDesk, session: Writing) -> schemas.Callback:
    """Let me speak first with a citizen who waits; for operators, and desks that serve the round."""
    callback = transitions.get(session, callback_id)
    round_ = phases.get(session, callback.round_id)
    if user.role not in MAY_ANSWER and not round_permissions.is_served_by(session, user, round_):
        raise Refused("not-serving", "the desk does not serve this round")
    return views.describe_callback(session, screening.screen(session, callback, _desk(session, user)))


@router.post("/callbacks/{callback_id}/hand-over")
def hand_over(callback_id: PathId, user: AtDesk, session: Writing) -> schemas.Callback:
    """Hand the citizen over after screening: they wait for the official again."""
    callback = _screened_by(session, callback_id, user)
    return views.describe_callback(session, screening.hand_over(session, callback))


@router.post("/callbacks/{callback_id}/dismiss", status_code=202)
def dismiss(
    callback_id: PathId,
    body: desk_schemas.DeskOutcome,
    user: AtDesk,
    session: Writing,
    settings: InForce,
) -> schemas.Callback:
    """End the screened citizen's call with an outcome; the official does not get them now."""
    callback = _screened_by(session, callback_id, user)
    agreed_by = user.username if body.agreed else None
    notes.write(session, callback, body.note, by=user)
    done = screening.dismiss(
        session, callback, body.outcome, settings, again_at=body.again_at, agreed_by=agreed_by
    )
    return views.describe_callback(session, done)


def _screened_by(session: Session, callback_id: int, user: models.User) -> models.Callback:
    callback = transitions.get(session, callback_id)
    if callback.screen_desk_id != user.desk_id:
        raise Refused("forbidden", "this citizen speaks with another desk")
    return callback


def _me(session: Session, user: models.User) -> schemas.Me:
    return views.describe_me(session, session.get_one(models.User, user.id))


def describe_stage(session: Session, round_: models.Round) -> serving_schemas.Stage:
    """Return a served round at this moment."""
    desks = serving.list_desks(session, round_.id)
    places = []
    for desk in desks:
        live = transitions.find_live_at_desk(session, desk.id)
        places.append(
            serving_schemas.ServingDesk(
                desk=views.describe_desk(session, desk, live),
                callback=views.describe_callback(session, live) if live else None,
            )
        )
    return serving_schemas.Stage(
        round=views.find_round(session, round_),
        places=places,
        ready=[
            views.describe_callback(session, c)
            for c in assignment.list_ready(session, round_.id, screened=True)
        ],
        under_way=[
            views.describe_callback(session, c) for c in assignment.list_called_ahead(session, round_.id)
        ],
    )
