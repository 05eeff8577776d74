"""Looking for a ticket, a request, a citizen or a person, from anywhere."""

from fastapi import APIRouter

from api import views
from api.access import SignedIn, Writing
from api.reports import citizen_schemas as wire
from hotline.reports import search

router = APIRouter(tags=["search"])


@router.post("/search")
def find(body: wire.Wanted, user: SignedIn, session: Writing) -> wire.SearchResults:
    """What there is, of what the person may see. Posted: a telephone number belongs into no address."""
    found = search.search(session, user, body.typed)
    return wire.SearchResults(
        registrations=[
            wire.FoundRegistration(
                id=one.id,
                ticket=one.ticket,
                official=views.official_view(one.round.official),
                starts_at=one.round.starts_at,
                in_operators_line=one.round.is_operators_line,
                state=one.state,
            )
            for one in found.registrations
        ],
        requests=[wire.FoundRequest.model_validate(one, from_attributes=True) for one in found.requests],
        staff=[wire.FoundPerson.model_validate(one, from_attributes=True) for one in found.staff],
    )
