"""The offices that answer citizens."""

from fastapi import APIRouter

from api import schemas, views
from api.access import Planner, Reading, SignedIn, Writing
from api.rounds import office_schemas as office
from api.rounds.rounds import Id
from hotline.errors import Refused
from hotline.rounds import officials
from prompts import catalogue

router = APIRouter(prefix="/officials", tags=["officials"])


@router.get("")
def list_officials(_user: SignedIn, session: Reading) -> list[schemas.Official]:
    """Every office: the mayor first, then deputies, then districts."""
    return [views.official_view(official) for official in officials.everyone(session)]


@router.get("/clips")
def list_clips(_user: SignedIn) -> list[office.Clip]:
    """The prompts that can say an office's name."""
    books = {language: catalogue.texts(language) for language in catalogue.languages()}
    return [
        # inside a sentence a clip ends as if it went on
        office.Clip(id=clip, spoken={language: texts[clip].rstrip("،,") for language, texts in books.items()})
        for clip in catalogue.office_clips()
    ]


@router.post("", status_code=201)
def add_official(body: office.OfficialIn, user: Planner, session: Writing) -> schemas.Official:
    """Add an office."""
    _check_clip(body.clip)
    return views.official_view(officials.add(session, **body.model_dump(), who=user.username))


@router.patch("/{official_id}")
def change_official(
    official_id: Id, body: office.OfficialChange, user: Planner, session: Writing
) -> schemas.Official:
    """Change an office's names or clip, or whether it may be planned."""
    official = officials.get(session, official_id)
    values = body.model_dump(exclude_none=True)
    if "clip" in values:
        _check_clip(values["clip"])
    officials.change(session, official, who=user.username, **values)
    return views.official_view(official)


def _check_clip(clip: str) -> None:
    if clip not in catalogue.office_clips():
        raise Refused("clip-unknown", f"{clip!r} is no clip of an office: callers would hear nothing")
