"""JSON of links that pass a request to an agency."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from api.requests.request_schemas import Picture
from api.schemas import Name, Said
from hotline.requests.referrals.agency_referrals import Passed, Passing, PassState


class PassIn(BaseModel):
    """The agency outside the city, the reason, and the text that it reads. `contact` is only stored."""

    body: Name = Field(min_length=1, max_length=100)
    contact: Name = Field("", max_length=100)
    why: Said = Field(min_length=1, max_length=500)
    written: Said = Field(min_length=1, max_length=2000)

    def passing(self) -> Passing:
        """Return the values for the rules."""
        return Passing(self.body, self.contact, self.why, self.written)


class BodysPicture(Picture):
    """A picture by an agency. `used`: it serves as evidence and is visible to the citizen."""

    used: bool


class AgencyReferral(BaseModel):
    """A referral link's state, without the link. `who`: its author, for the office. `mine`: the reader may
    withdraw it.
    """

    id: int
    body: str
    contact: str
    written: str
    who: str
    mine: bool
    state: PassState
    open: bool
    made_at: datetime
    expires_at: datetime
    seen_at: datetime | None
    received_at: datetime | None
    answered_at: datetime | None
    answer: str
    done_at: datetime | None
    done: str
    pictures: list[BodysPicture]


class NewLink(BaseModel):
    """A new link, shown this once."""

    link: str


_PLAIN = ("id", "body", "contact", "written", "made_at", "expires_at", "seen_at", "received_at")
_SAID = ("answered_at", "answer", "done_at", "done")


def describe_to_office(found: Sequence[Passed]) -> list[AgencyReferral]:
    """Return links as the office sees them; it may withdraw each."""
    return [_view(each, who=each.row.who, mine=True) for each in found]


def describe_to_department(found: Sequence[Passed], department_id: int | None) -> list[AgencyReferral]:
    """Return links as a department sees them, without names of the office's people."""
    return [_view(each, who="", mine=each.row.department_id == department_id) for each in found]


def _view(found: Passed, *, who: str, mine: bool) -> AgencyReferral:
    return AgencyReferral(
        **{name: getattr(found.row, name) for name in (*_PLAIN, *_SAID)},
        who=who,
        mine=mine,
        state=found.state,
        open=found.open,
        pictures=[
            BodysPicture(
                **Picture.model_validate(each, from_attributes=True).model_dump(),
                used=each.request_id is not None,
            )
            for each in found.pictures
        ],
    )
