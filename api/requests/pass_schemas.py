"""What goes over the wire about links by which requests are passed on."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from api.requests.request_schemas import Picture
from api.schemas import Name, Said
from hotline.requests.passes import Passed, Passing, PassState


class PassIn(BaseModel):
    """To which body outside the city, why, and what it reads. `contact`: only kept."""

    body: Name = Field(min_length=1, max_length=100)
    contact: Name = Field("", max_length=100)
    why: Said = Field(min_length=1, max_length=500)
    written: Said = Field(min_length=1, max_length=2000)

    def passing(self) -> Passing:
        """The same for the rules."""
        return Passing(self.body, self.contact, self.why, self.written)


class BodysPicture(Picture):
    """A picture by a body; `used`: it is evidence by now, and the citizen's to see."""

    used: bool


class Pass(BaseModel):
    """A link, without itself. `who` made it, for the office; `mine`: who asks may withdraw it."""

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
    """A link that was just made: it is told this once."""

    link: str


_PLAIN = ("id", "body", "contact", "written", "made_at", "expires_at", "seen_at", "received_at")
_SAID = ("answered_at", "answer", "done_at", "done")


def of_office(found: Sequence[Passed]) -> list[Pass]:
    """As the office sees them, which may withdraw each."""
    return [_view(each, who=each.row.who, mine=True) for each in found]


def of_department(found: Sequence[Passed], department_id: int | None) -> list[Pass]:
    """As a department sees them, without names of the office."""
    return [_view(each, who="", mine=each.row.department_id == department_id) for each in found]


def _view(found: Passed, *, who: str, mine: bool) -> Pass:
    return Pass(
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
