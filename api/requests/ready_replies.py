"""Ready replies to citizens: everybody who answers reads them, supervisors and administrators write them."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api import schemas
from api.access import Anybody, MayMove, Reading, Writing
from api.ids import BodyId
from hotline.requests import ready_replies
from hotline.requests.ready_replies import LONGEST_TEXT, LONGEST_TITLE

router = APIRouter(prefix="/ready-replies", tags=["requests"])


class ReadyReply(BaseModel):
    """A ready reply, for one category or for all; its English text is optional."""

    model_config = ConfigDict(from_attributes=True)

    category: BodyId | None = None
    title_fa: schemas.Name = Field(min_length=1, max_length=LONGEST_TITLE)
    title_en: schemas.Name = Field("", max_length=LONGEST_TITLE)
    text_fa: schemas.Said = Field(min_length=1, max_length=LONGEST_TEXT)
    text_en: schemas.Said = Field("", max_length=LONGEST_TEXT)


class ReadyReplies(BaseModel):
    """All ready replies in order. `version`: the version that was edited; a newer one is not overwritten."""

    replies: list[ReadyReply] = Field(max_length=ready_replies.MOST)
    version: str | None = Field(None, pattern="^[0-9a-f]{32}$")


@router.get("")
def list_replies(_user: Anybody, session: Reading) -> ReadyReplies:
    """All ready replies."""
    found = ready_replies.list_all(session)
    shown = [ReadyReply.model_validate(reply) for reply in found]
    return ReadyReplies(replies=shown, version=ready_replies.hash_of(found))


@router.put("")
def replace_replies(body: ReadyReplies, user: MayMove, session: Writing) -> ReadyReplies:
    """Replace all ready replies."""
    wanted = [ready_replies.Values(**reply.model_dump()) for reply in body.replies]
    ready_replies.replace(session, wanted, seen=body.version, who=user.username)
    return list_replies(user, session)
