"""Rounds, their lines, and claiming the next citizen."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import schemas, views
from api.access import AtDesk, InForce, MayOversee, Reading, SignedIn, Writing
from api.ids import PathId, QueryId
from api.reports import audit_schemas
from api.rounds import round_schemas
from api.rounds.notices import list_texts
from db.models import Callback, Registration, Round, User
from db.states import CallbackState, RegistrationState
from hotline import audit
from hotline.callbacks import claims, waiting_callers
from hotline.dates import Language
from hotline.errors import Refused
from hotline.line import carry_over, order
from hotline.reports import round_reports
from hotline.rounds import notices, phases, round_permissions

router = APIRouter(prefix="/rounds", tags=["rounds"])

_EVER, _NEVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


@router.get("")
def list_rounds(
    user: SignedIn,
    session: Reading,
    start: Annotated[schemas.Moment | None, Query(alias="from")] = None,
    until: schemas.Moment | None = None,
) -> list[schemas.Round]:
    """Rounds of interest to a desk, soonest first; or announced rounds that start in a span of time.

    An official gets only the own rounds.
    """
    mine = round_permissions.where_readable(user)
    if start or until:
        found = phases.list_between(session, start or _EVER, until or _NEVER, mine)
    else:
        found = phases.list_current(session, mine)
    return views.describe_rounds(session, found)


def _seen(session: Session, user: User, round_id: int) -> Round:
    round_ = phases.get(session, round_id)
    round_permissions.check_sees(session, user, round_)
    return round_


@router.get("/{round_id}")
def show(round_id: PathId, user: SignedIn, session: Reading) -> schemas.Round:
    """One round; an official sees only their own, here and below."""
    return views.find_round(session, _seen(session, user, round_id))


@router.get("/{round_id}/report")
def report(round_id: PathId, user: SignedIn, session: Reading) -> round_reports.RoundReport:
    """The round's report, also while it is live."""
    _seen(session, user, round_id)
    return round_reports.build_report(session, round_id)


@router.get("/{round_id}/notice")
def notice(round_id: PathId, user: SignedIn, session: Reading, settings: InForce) -> round_schemas.Notice:
    """The round's notice, also before it is public."""
    round_ = _seen(session, user, round_id)
    if round_.is_operators_line:
        raise Refused("not-found", "the operators' line has no notice")
    return round_schemas.Notice(
        **asdict(notices.find_lead_time(session, round_)),
        texts=list_texts(round_, settings.public),
    )


@router.get("/{round_id}/carries")
def list_carries(round_id: PathId, user: SignedIn, session: Reading) -> round_schemas.Carries:
    """The rounds from which registrations came, and to which unreached ones went."""
    _seen(session, user, round_id)
    came, went = carry_over.count_moves(session, round_id)
    return round_schemas.Carries(came=_ways(session, came), went=_ways(session, went))


def _ways(session: Session, ways: dict[int, int]) -> list[round_schemas.Way]:
    return [
        round_schemas.Way(round=views.find_round(session, phases.get(session, id_)), count=count)
        for id_, count in ways.items()
    ]


@router.get("/{round_id}/history")
def history(
    round_id: PathId, _user: MayOversee, session: Reading, language: Language = "en"
) -> list[audit_schemas.AuditEntry]:
    """The audit log of this round, newest first."""
    phases.get(session, round_id)
    found = audit.search(session, subject=f"round {round_id}")
    return views.list_audit_entries(session, found, language)


@router.get("/{round_id}/registrations")
def list_registrations(  # noqa: PLR0917
    round_id: PathId,
    user: SignedIn,
    session: Reading,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    after: QueryId | None = None,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> round_schemas.Line:
    """The round's line in the order of calling, registrants being called included.

    `after` pages through the line without skipping anybody while it changes; `offset` jumps to a row.
    """
    round_ = _seen(session, user, round_id)
    masked = not round_permissions.may_answer(session, user, round_)
    start = _in_round(session.get(Registration, after), round_id) if after else None
    found = order.list_page(session, round_id, limit + 1, start, offset)
    more, found = len(found) > limit, found[:limit]
    desks = dict(
        session.execute(
            select(Callback.registration_id, Callback.desk_id).where(
                Callback.registration_id.in_([r.id for r in found]),
                Callback.state != CallbackState.CLOSED,
            )
        ).all()
    )
    staying = waiting_callers.list_waiting_among(session, [r.id for r in found])
    place = order.count_before(session, found[0]) if found else 0
    items = []
    for registration in found:
        waits = registration.state is RegistrationState.WAITING
        place += waits
        items.append(
            views.describe_registration(
                registration,
                place if waits else None,
                desks.get(registration.id),
                on_the_line=registration.id in staying,
                masked=masked,
            )
        )
    counted = phases.count_by_state(session, [round_id])[round_id]
    return round_schemas.Line(
        items=items,
        total=sum(counted.get(state, 0) for state in order.IN_LINE),
        next=str(found[-1].id) if more else None,
    )


def _in_round(registration: Registration | None, round_id: int) -> Registration:
    if registration is None or registration.round_id != round_id:
        raise Refused("not-found", "no such registration in this round")
    return registration


@router.post(
    "/{round_id}/claims",
    status_code=201,
    response_model=schemas.Callback,
    responses={204: {"description": "Nobody waits"}},
)
def claim(round_id: PathId, user: AtDesk, session: Writing) -> schemas.Callback | Response:
    """Claim the next citizen for my desk."""
    assert user.desk_id is not None  # noqa: S101
    callback = claims.claim(session, round_id=round_id, desk_id=user.desk_id, user_id=user.id)
    if callback is None:
        return Response(status_code=204)
    return views.describe_callback(session, callback)
