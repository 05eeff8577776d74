"""Requests passed to agencies outside the city, by the office or by a department."""

from fastapi import APIRouter

from api.access import InForce, MayHandleRequests, OfDepartment, Reading, SignedIn, Writing
from api.ids import PathId
from api.requests import agency_referral_schemas as wire
from api.requests.reading import find_seen_by
from hotline.requests import department_inbox, department_work, lifecycle, work
from hotline.requests.referrals import agency_referrals
from settings import Settings

router = APIRouter()
_OFFICE, _INBOX = "/requests/{request_id}/passes", "/inbox/{request_id}/passes"


@router.get(_OFFICE, tags=["requests"])
def list_passes(request_id: PathId, user: SignedIn, session: Reading) -> list[wire.AgencyReferral]:
    """The request's links, newest first."""
    request = find_seen_by(session, user, lifecycle.get(session, request_id))
    return wire.describe_to_office(agency_referrals.list_by_request(session, request))


@router.post(_OFFICE, status_code=201, tags=["requests"])
def pass_on(
    request_id: PathId, body: wire.PassIn, user: MayHandleRequests, session: Writing, settings: InForce
) -> wire.NewLink:
    """Make a link for an agency outside the city; the agency's earlier link stops working."""
    request = work.get_for_update(session, request_id)
    _, token = agency_referrals.make(session, request, body.passing(), user=user, days=settings.pass_days)
    return _link(settings, token)


@router.delete(_OFFICE + "/{pass_id}", status_code=204, tags=["requests"])
def withdraw_pass(request_id: PathId, pass_id: PathId, user: MayHandleRequests, session: Writing) -> None:
    """Withdraw a link; the agency's answers stay."""
    agency_referrals.withdraw(session, work.get_for_update(session, request_id), pass_id, user=user)


@router.get(_INBOX, tags=["inbox"])
def list_ours(request_id: PathId, user: OfDepartment, session: Reading) -> list[wire.AgencyReferral]:
    """The request's links by my department and the office, newest first."""
    request = department_inbox.get(session, user.department_id, request_id)
    return wire.describe_to_department(
        agency_referrals.list_by_request(session, request, user.department_id), user.department_id
    )


@router.post(_INBOX, status_code=201, tags=["inbox"])
def pass_ours_on(
    request_id: PathId, body: wire.PassIn, user: OfDepartment, session: Writing, settings: InForce
) -> wire.NewLink:
    """Make a link for an agency outside the city; our department stays responsible until its due date."""
    request = department_work.get_for_update(session, user, request_id)
    _, token = agency_referrals.make(session, request, body.passing(), user=user, days=settings.pass_days)
    return _link(settings, token)


@router.delete(_INBOX + "/{pass_id}", status_code=204, tags=["inbox"])
def withdraw_ours(request_id: PathId, pass_id: PathId, user: OfDepartment, session: Writing) -> None:
    """Withdraw a link of our department; the agency's answers stay."""
    agency_referrals.withdraw(
        session, department_work.get_for_update(session, user, request_id), pass_id, user=user
    )


def _link(settings: Settings, token: str) -> wire.NewLink:
    return wire.NewLink(link=f"{settings.public}/public/passed/{token}")
