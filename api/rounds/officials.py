"""The offices that answer citizens."""

from fastapi import APIRouter

from api.access import InForce, MayPlan, Reading, SignedIn, Writing
from api.ids import PathId
from api.rounds import official_schemas
from db import models
from hotline.errors import Refused
from hotline.rounds import officials
from prompts import catalogue

router = APIRouter(prefix="/officials", tags=["officials"])


@router.get("")
def list_officials(_user: SignedIn, session: Reading) -> list[official_schemas.OfficialWithNumber]:
    """Every office: the mayor first, then deputies, then districts."""
    return [_view(official) for official in officials.list_all(session)]


@router.get("/clips")
def list_clips(_user: SignedIn, settings: InForce) -> list[official_schemas.Clip]:
    """The prompts for offices' names."""
    books = {
        language: catalogue.list_texts(language, settings.of_city) for language in catalogue.list_languages()
    }
    return [
        # inside a sentence, a prompt ends as if it went on
        official_schemas.Clip(
            id=clip, spoken={language: texts[clip].rstrip("،,") for language, texts in books.items()}
        )
        for clip in catalogue.list_office_clips(settings.of_city)
    ]


@router.post("", status_code=201)
def add_official(
    body: official_schemas.OfficialIn, user: MayPlan, session: Writing, settings: InForce
) -> official_schemas.OfficialWithNumber:
    """Add an office."""
    _check_clip(body.clip)
    return _view(officials.add(session, who=user.username, **body.values(settings.allowed_prefixes)))


@router.patch("/{official_id}")
def change_official(
    official_id: PathId,
    body: official_schemas.OfficialChange,
    user: MayPlan,
    session: Writing,
    settings: InForce,
) -> official_schemas.OfficialWithNumber:
    """Change an office's names, prompt or telephone, or whether rounds may be planned for it."""
    official = officials.get(session, official_id)
    values = body.values(settings.allowed_prefixes)
    if "clip" in values:
        _check_clip(values["clip"])
    officials.change(session, official, who=user.username, **values)
    return _view(official)


def _view(official: models.Official) -> official_schemas.OfficialWithNumber:
    return official_schemas.OfficialWithNumber.model_validate(official, from_attributes=True)


def _check_clip(clip: str) -> None:
    if clip not in catalogue.list_office_clips():
        raise Refused("clip-unknown", f"{clip!r} is no clip of an office: callers would hear nothing")
