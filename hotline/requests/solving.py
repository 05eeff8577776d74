"""Solving a request: the evidence that its category demands is checked before the citizen is told."""

from collections.abc import Sequence

from sqlalchemy import or_
from sqlalchemy.orm import Session

from db.models import Category, Evidence, Picture, PictureKind, Request, User
from hotline.errors import Refused
from hotline.pictures import attachments
from hotline.requests import categories, work
from hotline.requests.referrals import agency_referrals
from hotline.words import PUBLIC


def solve(session: Session, request: Request, *, user: User, reply: str, shown: Sequence[str]) -> None:
    """Tell the citizen that the problem is solved, and ask whether it is.

    The pictures in `shown` come from this person, or from an agency to which the request was passed.

    Raises what `work.reply` raises, and Refused("evidence-picture" | "picture-unknown").
    """
    category = categories.get(session, request.category)
    bodys = agency_referrals.where_sent_by_agencies(request.id, user.department_id)
    given = attachments.lock_waiting(session, shown, or_(Picture.who == user.username, bodys))
    if category.evidence is Evidence.PICTURE and not given:
        raise Refused("evidence-picture", "show by a picture that it is solved", "pictures")
    words = reply.strip() or _default(request, category)
    work.reply(session, request, who=user.username, reply=words)
    whole = request.part_of_id or request.id  # the citizen sees the pictures with the whole request
    attachments.give(session, given, whole, PictureKind.EVIDENCE)


def answer(
    session: Session, request: Request, *, user: User, reply: str, solved: bool, shown: Sequence[str]
) -> None:
    """Tell the citizen how the work goes on, or that it is solved.

    Raises what `solve` and `work.tell` raise, and Refused("evidence-unsolved").
    """
    if solved:
        solve(session, request, user=user, reply=reply, shown=shown)
    elif shown:
        raise Refused("evidence-unsolved", "pictures show that it is solved", "pictures")
    else:
        work.tell(session, request, who=user.username, reply=reply)


def _default(request: Request, category: Category) -> str:
    """Return the reply sent when nothing was written; empty where the category demands a description."""
    if category.evidence is Evidence.TEXT:
        return ""
    return PUBLIC.text("en" if request.language == "en" else "fa", "requests", "solved")
