"""One of my requests without a script: whether it is solved, my rating, a department's question.

Each form names the answer that it was shown with, so a stale page cannot reply to a newer answer. A repeated
form has no further effect, and the page shows the present state.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session

from api import pages
from api.access import Database, InForce
from api.my import my_schemas as wire
from api.my import own_data, signed_in
from api.pages import Asked, read_first
from api.public.my_page import add_cookies, render_own_page, return_to_data
from db.engine import reading, writing
from db.models import Department
from hotline.citizens import account_contents, reports, sessions
from hotline.dates import Language
from hotline.errors import Refused
from hotline.requests import department_work, lifecycle, ratings

router = APIRouter(prefix="/public/my/requests", include_in_schema=False)

Tracking = Annotated[str, Path(pattern="^[0-9]{1,9}$")]
Act = Literal["confirm", "object", "say", "rate"]
_DONE_ALREADY = ("wrong-state", "rating-over")
"""Codes after a second press, or after an action by another channel; the page shows the present state."""


Typed = Annotated[pages.Typed, Depends(pages.typed)]


@router.get("/{tracking}")
def show(
    request: Request, language: Asked, engine: Database, settings: InForce, tracking: Tracking
) -> Response:
    """A request's state, and my possible actions."""
    fresh = Response()
    try:
        number = signed_in.find_current(request, fresh, engine, settings).number
        page = _shown(request, language, engine, number=number, tracking=tracking)
        return add_cookies(page, fresh)
    except Refused:
        return add_cookies(return_to_data(request, language), fresh)


@router.post("/{tracking}/{act}")
def say(
    *,
    request: Request,
    language: Asked,
    engine: Database,
    settings: InForce,
    tracking: Tracking,
    act: Act,
    form: Typed,
) -> Response:
    """Record my action, and show the request's state."""
    fresh, mine = Response(), None
    try:
        mine = signed_in.find_current(request, fresh, engine, settings)
        with writing(engine) as session:
            sessions.lock_number(session, mine)
            _say(session, mine.number, tracking, act, form)
    except Refused as refused:
        if mine is None or refused.code in ("not-signed-in", "not-found"):
            return add_cookies(return_to_data(request, language), fresh)
        if act == "object" or refused.code not in _DONE_ALREADY:  # a second press is no refusal
            words = read_first(form, "reason") or read_first(form, "words")
            page = _shown(
                request, language, engine, number=mine.number, tracking=tracking, refused=refused, words=words
            )
            return add_cookies(page, fresh)
    way = f"/public/my/requests/{tracking}{'?lang=en' if language == 'en' else ''}"
    return add_cookies(RedirectResponse(way, 303, headers={"Cache-Control": "no-store"}), fresh)


def _say(session: Session, number: str, tracking: str, act: Act, form: pages.Typed) -> None:
    """Perform the act of a form. Raises what the act's rule raises, and Refused("invalid-input")."""
    answer = read_first(form, "answer") or None
    try:
        if act == "confirm":
            said_of = wire.Confirmation.model_validate({"answer": answer}).answer
            reports.confirm(session, number, tracking, said_of)
        elif act == "object":
            if not (reason := read_first(form, "reason")).strip():
                raise Refused("reason-missing", "say what is not solved")
            said = {"reason": reason, "parts": form.get("part", []), "answer": answer}
            objection = wire.Objection.model_validate(said)
            reports.object_to(session, number, tracking, reports.Objection(**objection.model_dump()))
        elif act == "say":
            words = {"answer": read_first(form, "words"), "question": read_first(form, "question") or None}
            to = wire.ToQuestion.model_validate(words)
            reports.answer_question(session, number, tracking, to.answer, to.question)
        else:
            how = {"stars": read_first(form, "stars"), "said": read_first(form, "said") or None}
            rated = wire.Satisfaction.model_validate(how)
            reports.rate(session, number, tracking, rated.stars, rated.said)
    except ValidationError:
        raise Refused("invalid-input", "the form was filled in otherwise") from None


def _shown(
    request: Request,
    language: Language,
    engine: Database,
    *,
    number: str,
    tracking: str,
    refused: Refused | None = None,
    words: str = "",
) -> Response:
    with reading(engine) as session:
        mine = reports.get(session, number, tracking)
        leading = lifecycle.find_original(session, mine)
        history = lifecycle.list_steps(session, mine)
        said = ratings.answer_in(history)
        rating = ratings.rate_answer(session, said) if said else None
        department = session.get(Department, leading.department_id) if leading.department_id else None
        stands = account_contents.describe_request(session, mine)
        return render_own_page(
            request,
            "my_request.html",
            language,
            refused,
            stands=stands,
            answer=mine.replied_at.isoformat() if stands.asked and mine.replied_at else "",
            department=(department.name_fa if language == "fa" else department.name_en) if department else "",
            parts=own_data.list_solved_parts(session, mine) if stands.asked else [],
            question=department_work.find_open_question_in(session, mine, history),
            stars=rating.stars if rating else None,
            said=said,
            may_rate=said is not None and (rating is None or ratings.is_changeable(session, rating)),
            steps=lifecycle.select_public_steps(history),
            words=words,
        )
