"""The department's acts on its own request: accept it, ask the citizen, solve it; `work` has the rest.

Each function checks that the department still has the request. If the office has taken it back, referred or
closed it meanwhile, the function refuses and changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import OutboxKind, Request, RequestEntry, Role, User
from db.states import IN_WORK, RequestState, RequestStep
from hotline import reasons
from hotline.errors import Refused
from hotline.messages import outbox
from hotline.requests import parts, solving, work
from hotline.requests.department_inbox import check_is_own
from hotline.requests.lifecycle import log, move

_S, _T = RequestState, RequestStep
LONGEST_QUESTION = outbox.LONGEST_REPLY
"""The question must fit whole into a text message."""
LONGEST_ANSWER = 1000


def get_for_update(session: Session, user: User, request_id: int) -> Request:
    """Lock the request until the transaction ends, and check that the person's department has it.

    Raises Refused("not-found" | "request-moved").
    """
    request = work.get_for_update(session, request_id)
    check_is_own(session, request, user.department_id)
    return request


def accept(session: Session, request: Request, *, who: str) -> None:
    """Accept the request; the citizen sees that it is in work. A repeat does nothing.

    Raises Refused("wrong-state").
    """
    if request.state is _S.ACCEPTED:
        return
    move(session, request, _S.ACCEPTED, **_as_it_was(request))
    work.record_step(session, request, _T.ACCEPTED, who, department_id=request.department_id)


def accept_all(session: Session, user: User, ids: Sequence[int]) -> dict[int, str]:
    """Accept several requests; return the error code of each one that could not be accepted, by id."""
    requests = [work.hold(session, id_) for id_ in _there(session, ids)]  # lock every row before the log
    refused = {id_: "not-found" for id_ in set(ids) - {request.id for request in requests}}
    for request in requests:
        try:
            check_is_own(session, request, user.department_id)
            accept(session, request, who=user.username)
        except Refused as why:
            refused[request.id] = why.code
    return refused


def _there(session: Session, ids: Sequence[int]) -> Sequence[int]:
    return session.scalars(select(Request.id).where(Request.id.in_(set(ids))).order_by(Request.id)).all()


def is_reachable(session: Session, request: Request) -> bool:
    """Return whether text messages reach the request's citizen; for a part, the whole request's citizen."""
    number = parts.find_whole(session, request).number
    return number is not None and number.startswith(outbox.MOBILE)


def ask(session: Session, request: Request, *, who: str, question: str) -> None:
    """Ask the citizen a question by text message; the due date stays.

    Only one part of a request may ask at a time: the citizen could not say which question they answer.

    Raises what `reasons.check` raises, and Refused("question-long" | "question-open" | "citizen-unreachable"
    | "wrong-state").
    """
    question = reasons.check(question)
    if len(question) > LONGEST_QUESTION:
        raise Refused("question-long", f"at most {LONGEST_QUESTION} characters: it is a text message")
    if not is_reachable(session, request):
        raise Refused("citizen-unreachable", "the citizen has no number that text messages reach")
    whole = parts.find_whole(session, request)
    if any(part.state is _S.ASKED and part is not request for part in parts.list_current(session, whole)):
        raise Refused("question-open", "another part's question waits for the citizen")
    move(session, request, _S.ASKED, **_as_it_was(request))
    for each in {request, whole}:
        work.record_first_answer(session, each)
    outbox.tell_of_request(session, OutboxKind.REQUEST_ASKED, whole, question)
    work.record_step(session, request, _T.ASKED, who, question, department_id=request.department_id)
    if whole is not request:
        log(session, whole, _T.ASKED, who, question, other_id=request.id)


def record_citizen_answer(
    session: Session, request_id: int, answer: str, *, question: int | None = None, who: str = ""
) -> Request:
    """Record the citizen's answer to a question, by text message, app, or through an employee (`who`).

    The request returns to work. If it has left the department meanwhile, its history still gets the answer.
    For a split request the part that asked gets the answer. A question older than the split goes to all
    parts.

    `question`: the question's id, if the citizen names it; the same answer to the same question counts once.

    Raises Refused("not-found" | "text-missing" | "text-long" | "wrong-state" | "question-over").
    """
    answer = answer.strip()
    if not answer:
        raise Refused("text-missing", "say something to the question", "answer")
    if len(answer) > LONGEST_ANSWER:
        raise Refused("text-long", f"at most {LONGEST_ANSWER} characters", "answer")
    request = work.get_for_update(session, request_id)
    open_ = find_open_question(session, request)
    if question and (open_ is None or open_.id != question):
        if _is_said(session, request, question, answer):
            return request
        raise Refused("question-over", "this question is answered, or over")
    if open_ is None:
        raise Refused("wrong-state", "nothing is asked")
    whole, asker = parts.find_whole(session, request), session.get_one(Request, open_.request_id)
    hear = (
        [asker]
        if asker is not whole
        else [p for p in parts.list_current(session, whole) if p.state in IN_WORK]
    )
    for each in {asker, *hear}:
        if each.state is _S.ASKED:
            move(session, each, _S.ACCEPTED, **_as_it_was(each))
    of = None if asker is whole else asker.id
    work.record_step(session, whole, _T.ANSWERED, who, answer, department_id=whole.department_id, other_id=of)
    for part in hear:
        log(session, part, _T.ANSWERED, who, answer, department_id=part.department_id)
    return request


def _is_said(session: Session, request: Request, question: int, answer: str) -> bool:
    """Return whether this is what the citizen answered to this question: the first answer after it."""
    after = select(RequestEntry).where(
        RequestEntry.request_id == request.id, RequestEntry.step == _T.ANSWERED, RequestEntry.id > question
    )
    said = session.scalars(after.order_by(RequestEntry.id).limit(1)).first()
    return said is not None and (said.who, said.note) == ("", answer)


def find_question_text(session: Session, request: Request) -> str:
    """Return the text of the open question (`find_open_question`); empty if there is none."""
    open_ = find_open_question(session, request)
    return open_.note if open_ else ""


def find_open_question(session: Session, request: Request) -> RequestEntry | None:
    """Return the question that the citizen has not answered, while the request or a part is in work.

    Each question stands in the history of the part that asked. If several are open, the latest is returned.
    """
    its = parts.list_current(session, request) if request.state is _S.SPLIT else []
    found = [own for each in (request, *its) if (own := _own_question(session, each))]
    return max(found, key=lambda own: own.id, default=None)


def find_open_question_in(
    session: Session, request: Request, history: Sequence[RequestEntry]
) -> RequestEntry | None:
    """Do what `find_open_question` does with a history already read, oldest first; the parts of a split
    request are queried.
    """
    if request.state is _S.SPLIT:
        return find_open_question(session, request)
    own = [each for each in history if each.step in (_T.ASKED, _T.ANSWERED) and each.other_id is None]
    return own[-1] if own and own[-1].step is _T.ASKED and request.state in IN_WORK else None


def _own_question(session: Session, request: Request) -> RequestEntry | None:
    if request.state not in IN_WORK:
        return None
    either = select(RequestEntry).where(
        RequestEntry.request_id == request.id,
        RequestEntry.step.in_([_T.ASKED, _T.ANSWERED]),
        RequestEntry.other_id.is_(None),  # no step about a part: the part has its own history
    )
    last = session.scalars(either.order_by(RequestEntry.id.desc()).limit(1)).first()
    return last if last and last.step is _T.ASKED else None


def answer(
    session: Session, request: Request, *, user: User, reply: str, solved: bool, shown: Sequence[str]
) -> None:
    """Tell the citizen how the work goes on, or that it is solved. Raises what `solving.answer` raises."""
    if solved:
        _must_be_anothers(session, request, user)
    solving.answer(session, request, user=user, reply=reply, solved=solved, shown=shown)


def _must_be_anothers(session: Session, request: Request, user: User) -> None:
    """Raises Refused("objection-own") if the person's own «solved» is objected to and a colleague could check
    it.
    """
    if not request.denials or request.replied_by != user.username:
        return
    others = select(User.id).where(
        User.role == Role.DEPARTMENT,
        User.department_id == user.department_id,
        User.id != user.id,
        User.disabled_at.is_(None),
    )
    if session.scalar(others.limit(1)) is not None:
        raise Refused("objection-own", "the citizen objects to what this person has said")


def _as_it_was(request: Request) -> dict[str, Any]:
    """Return the values that a move within the department must keep."""
    return {"due_at": request.due_at, "escalated_to": request.escalated_to}
