"""The notices of all rounds, published or still to come."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api import schemas, views
from api.access import InForce, MayOversee, Reading
from api.rounds import round_schemas
from db.engine import now
from db.models import OutboxMessage, Round
from hotline.dates import LANGUAGES, Language
from hotline.rounds import notices, phases

router = APIRouter(prefix="/notices", tags=["notices"])

_NEVER = datetime(3000, 1, 1, tzinfo=UTC)


@router.get("")
def list_notices(
    _user: MayOversee,
    session: Reading,
    settings: InForce,
    start: Annotated[schemas.Moment, Query(alias="from")],
) -> list[round_schemas.RoundNotice]:
    """The notices of rounds that start after this moment, soonest first."""
    found = phases.list_between(session, start, _NEVER)
    posts, at = notices.find_posts(session, found), now(session)
    return [
        round_schemas.RoundNotice(
            round=shown,
            state=notices.find_state(round_, at),
            updated_at=notices.find_updated_at(round_),
            post=_post(posts.get(round_.id)),
            texts=list_texts(round_, settings.public),
        )
        for round_, shown in zip(found, views.describe_rounds(session, found), strict=True)
    ]


def list_texts(round_: Round, public_url: str) -> dict[Language, round_schemas.NoticeText]:
    """Return the round's notice in every language."""
    return {
        language: round_schemas.NoticeText(**asdict(notices.format_text(round_, language, public_url)))
        for language in LANGUAGES
    }


def _post(message: OutboxMessage | None) -> round_schemas.Post | None:
    if message is None:
        return None
    return round_schemas.Post(
        message_id=message.id, state=message.state, sent_at=message.sent_at, error=message.error
    )
