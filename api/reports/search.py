"""Search for a ticket, a request, a citizen or a person."""

from fastapi import APIRouter

from api import views
from api.access import Database, InForce, SignedIn
from api.reports import citizen_schemas as wire
from db.engine import reading, writing
from hotline import audit
from hotline.reports import search

router = APIRouter(tags=["search"])


@router.post("/search")
def find(body: wire.Wanted, user: SignedIn, engine: Database, settings: InForce) -> wire.SearchResults:
    """Search results that the person may see. A POST, since a telephone number must not stand in a URL.

    The audit log shows a search that found a telephone number; nothing else is written.
    """
    with reading(engine) as session:
        found = search.search(session, user, body.typed, settings.allowed_prefixes)
        results = _results(found)
    if found.by_number:
        with writing(engine) as session:
            audit.record_once(session, user.username, "number-searched", found.by_number)
    return results


def _results(found: search.Found) -> wire.SearchResults:
    return wire.SearchResults(
        registrations=[
            wire.FoundRegistration(
                id=one.id,
                ticket=one.ticket,
                official=views.describe_official(one.round.official),
                starts_at=one.round.starts_at,
                in_operators_line=one.round.is_operators_line,
                state=one.state,
            )
            for one in found.registrations
        ],
        requests=[wire.FoundRequest.model_validate(one, from_attributes=True) for one in found.requests],
        staff=[wire.FoundPerson.model_validate(one, from_attributes=True) for one in found.staff],
    )
