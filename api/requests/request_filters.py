"""My saved filters of the requests' page."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.access import Reading, SignedIn, Writing
from api.ids import PathId
from api.schemas import Name
from hotline.requests import request_filters

router = APIRouter(prefix="/me/request-filters", tags=["requests"])


def _told(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise ValueError("a filter has a name")
    return name


FilterName = Annotated[Name, AfterValidator(_told), Field(min_length=1, max_length=60)]


class FilterNameIn(BaseModel):
    """A new name for a filter."""

    name: FilterName


class RequestFilterIn(FilterNameIn):
    """A filter to save: the page's query string. `replace`: overwrite the filter of that name."""

    query: str = Field(max_length=300, pattern="^[!-~]*$")
    replace: bool = False


class RequestFilter(BaseModel):
    """A saved filter. A reader of `query` ignores unknown parts."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    query: str


@router.get("")
def list_filters(user: SignedIn, session: Reading) -> list[RequestFilter]:
    """My filters, by name."""
    return [RequestFilter.model_validate(each) for each in request_filters.list_filters(session, user.id)]


@router.post("", status_code=201)
def keep_filter(body: RequestFilterIn, user: SignedIn, session: Writing) -> RequestFilter:
    """Save a filter; a person has at most 20."""
    row = request_filters.keep(session, user.id, body.name, body.query, replace=body.replace)
    return RequestFilter.model_validate(row)


@router.patch("/{filter_id}")
def rename_filter(filter_id: PathId, body: FilterNameIn, user: SignedIn, session: Writing) -> RequestFilter:
    """Rename one of my filters."""
    return RequestFilter.model_validate(request_filters.rename(session, user.id, filter_id, body.name))


@router.delete("/{filter_id}", status_code=204)
def drop_filter(filter_id: PathId, user: SignedIn, session: Writing) -> None:
    """Delete one of my filters."""
    request_filters.drop(session, user.id, filter_id)
