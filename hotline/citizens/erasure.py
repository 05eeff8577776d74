"""«Delete me»: what is kept under a number goes, at once or, of files, by the clerk. What stays is others'.

The order of the lines (the ledger knows no number), what is broken in the street until it is mended, a block,
the audit log, and a conversation in which a threat was marked: docs/citizens.md.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import now, one_at_a_time
from db.models import (
    BlockedNumber,
    Callback,
    CitizenCode,
    Confirmation,
    Erasure,
    Follower,
    Guest,
    LeftNumber,
    LeftOutcome,
    MutedNotice,
    Note,
    OutboxMessage,
    PlacedCall,
    Recording,
    Registration,
    Request,
    RequestEntry,
    RoundWish,
    SilentCaller,
    UrgentMatter,
    VoiceSummary,
)
from db.states import HOLDS_PLACE, LIVE, OPEN_REQUESTS, Fact, RegistrationState
from hotline import audit, numbers
from hotline.citizens import codes, sessions
from hotline.errors import Refused
from hotline.ledger import ledger
from hotline.line import blocked
from hotline.pictures import pictures
from hotline.recordings import recordings
from hotline.requests import parts, passes, ratings, releases
from hotline.requests.requests import BY_CITIZEN, IN_WORDS_OF_BODY
from hotline.uploads import uploads
from hotline.words import PUBLIC

NOBODY = ""
"""What stands in the place of a number that is gone."""
MESSAGES, RECORDINGS, PICTURES = uploads.MESSAGES, recordings.ERASED_FROM, pictures.PLACE
_DELETED = RegistrationState.CANCELLED
_FORMER = "-"
"""Stands for the + of a number of which something is kept as proof, once somebody else has the number."""


def held(session: Session, number: str) -> int:
    """How many places deleting this number would give up."""
    mine = select(Registration.id).where(Registration.number == number, Registration.state.in_(HOLDS_PLACE))
    return len(session.scalars(mine).all())


def delete_citizen(session: Session, number: str, *, who: str, give_up: bool) -> None:
    """Delete what is kept under an E.164 `number`; places that it holds are given up, if that is said.

    Raises Refused("places-held" | "in-call"): nothing is deleted then.
    """
    gone = _erase(session, number, give_up=give_up, proof=number)
    audit.record(session, who, "citizen-deleted", f"citizen {numbers.masked(number)}")
    _tell(session, gone)


def to_new_owner(session: Session, number: str, *, who: str, reason: str, give_up: bool) -> None:
    """Somebody else has the E.164 `number` now: nothing of whoever had it before is under it any more.

    As deleting; besides, a «no» or a block of the person before is not the new one's, and a proof stays apart
    from the number. Raises what `delete_citizen` does, and Refused("reason-missing").
    """
    why = audit.check_reason(reason)
    session.get(BlockedNumber, number, with_for_update=True)  # its row, too, before the log
    gone = _erase(session, number, give_up=give_up, proof=_FORMER + number[1:])
    for statement in (
        delete(Confirmation).where(Confirmation.number == number, Confirmation.token.is_(None)),
        delete(LeftNumber).where(LeftNumber.number == number, LeftNumber.token.is_(None)),
        update(PlacedCall).where(PlacedCall.number == number).values(number=NOBODY),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    audit.record(session, who, "number-new-owner", f"citizen {numbers.masked(number)}", why)
    _tell(session, gone, by="office", reason=PUBLIC.text("fa", "ledger", "number-new-owner"))
    blocked.unblock(session, number, who=who)


class _Gone(NamedTuple):
    """What others are told of."""

    places: Sequence[Registration]
    recordings: Sequence[Recording]


def _erase(session: Session, number: str, *, give_up: bool, proof: str) -> _Gone:
    """`proof`: the number of what is kept because of a threat."""
    one_at_a_time(session, number)
    at = now(session)
    mine = session.scalars(
        select(Registration).where(Registration.number == number).order_by(Registration.id).with_for_update()
    ).all()
    ids = [each.id for each in mine]
    if any(each.state is RegistrationState.CALLING for each in mine) or _in_call(session, number, ids):
        raise Refused("in-call", "this number is being called, or in conversation, at this moment")
    given_up = [each for each in mine if each.state in HOLDS_PLACE]
    if given_up and not give_up:
        raise Refused("places-held", f"{len(given_up)} places in a line would be given up")
    for each in mine:
        _file(session, MESSAGES, each.voice_message, at)
        each.voice_message = each.call_id = None
    for each in given_up:
        each.state = _DELETED
    session.flush()  # first: no other place of the number is left when its number goes
    threatened = _threatened(session, ids)
    for each in mine:
        each.number = proof if each.id in threatened else NOBODY
    session.execute(delete(VoiceSummary).where(VoiceSummary.registration_id.in_(ids)))
    hushed = _conversations(session, ids, at)
    _requests(session, number, at)  # requests before their pictures, as all who hold both
    pictures.erase(session, pictures.drop_of_number(session, number))
    for folder, name in uploads.drop_of_number(session, number):
        _file(session, folder, name, at)
    _traces(session, number, at)
    return _Gone(given_up, hushed)


def _tell(session: Session, gone: _Gone, **public: str) -> None:
    session.flush()  # every row first, then the log
    for each in gone.places:
        ledger.record(session, Fact.CANCELLED, each, **public)
        events.registration_changed(session, each)
    for recording in gone.recordings:
        events.recording_changed(session, recording, "deleted")


def _in_call(session: Session, number: str, ids: Sequence[int]) -> bool:
    """Whether a call for these places goes on, or one with the number as a third person."""
    live = select(Callback.id).where(Callback.registration_id.in_(ids), Callback.state.in_(LIVE))
    guest = select(Guest.id).where(Guest.number == number, Guest.ended_at.is_(None))
    return any(session.scalar(each.limit(1)) for each in (live, guest))


def _threatened(session: Session, ids: Sequence[int]) -> set[int]:
    """Those in whose conversations a threat was marked: they keep their number, or nobody could prove it."""
    marked = select(Callback.registration_id).where(
        Callback.registration_id.in_(ids), Callback.threat_at.is_not(None)
    )
    return set(session.scalars(marked))


def _conversations(session: Session, ids: Sequence[int], at: datetime) -> Sequence[Recording]:
    """What was recorded and written of them, but where a threat was marked."""
    ended = select(Callback.id).where(Callback.registration_id.in_(ids), Callback.threat_at.is_(None))
    heard = session.scalars(
        select(Recording).where(Recording.callback_id.in_(ended), Recording.deleted_at.is_(None))
    ).all()
    for recording in heard:
        recording.deleted_at = at
        _file(session, RECORDINGS, recording.file, at)
    in_the_books = exists().where(Recording.callback_id == Callback.id)
    for token in session.scalars(select(Callback.token).where(Callback.id.in_(ended), ~in_the_books)):
        _file(session, RECORDINGS, f"{token}{recordings.SUFFIX}", at)  # the clerk may not have seen it yet
    session.execute(
        delete(Note).where(Note.callback_id.in_(ended)).execution_options(synchronize_session=False)
    )
    return heard


def _requests(session: Session, number: str, at: datetime) -> None:
    """Nobody's from now on; what is broken is still to be mended, and its words go once it is."""
    mine = select(Request).where(Request.number == number).order_by(Request.id).with_for_update(of=Request)
    for request in session.scalars(mine).all():
        request.number = request.call_id = request.report_key = request.report_hash = None
        releases.forget_person(session, request.id)
        ratings.forget(session, [request.id])
        if request.state in OPEN_REQUESTS:
            passes.forget(session, [request.id, *(part.id for part in parts.ever(session, request))])
            session.add(Erasure(request_id=request.id, asked_at=at))
        else:
            forget_words(session, request, at)


def forget_words(session: Session, request: Request, at: datetime) -> None:
    """What its citizen has said, shown and where it was goes, of its parts, too, and what bodies outside the
    city wrote of it; files by the clerk."""
    for part in parts.ever(session, request):
        forget_words(session, part, at)
    _file(session, MESSAGES, request.voice_message, at)
    request.voice_message, request.written, request.voice_deleted_at = None, "", at
    request.latitude, request.longitude, request.place, request.contact = None, None, "", ""
    passes.forget_words(session, [request.id])
    said = RequestEntry.request_id == request.id, RequestEntry.step.in_((*BY_CITIZEN, *IN_WORDS_OF_BODY))
    session.execute(update(RequestEntry).where(*said).values(note="", note_salt=None))
    pictures.erase(session, pictures.drop_of_request(session, request.id))


def _file(session: Session, folder: str, name: str | None, at: datetime) -> None:
    if name:
        session.add(Erasure(file=f"{folder}/{Path(name).name}", asked_at=at))


_NAMED_BY_NOBODY = {"contact": "", "report_key": None, "report_hash": None}
"""A number that a program named: it goes, and so does the hash in which it is."""


def _traces(session: Session, number: str, at: datetime) -> None:
    """A «no, do not call me» stays for its 30 days: it protects whoever said it.

    Codes stay for the day in which the limits count them: or deleting would be the way around those.
    """
    over = {"tries": codes.TRIES, "ended_at": func.coalesce(CitizenCode.ended_at, at)}
    gone = (
        delete(RoundWish).where(RoundWish.number == number),  # first: the clerk makes a message of it
        delete(OutboxMessage).where(OutboxMessage.to == number),
        delete(Confirmation).where(
            Confirmation.number == number, Confirmation.token.is_(None), Confirmation.agreed.is_not(False)
        ),
        delete(Confirmation).where(Confirmation.new_number == number, Confirmation.token.is_(None)),
        update(Confirmation).where(Confirmation.asked_by == number).values(asked_by=None),
        delete(SilentCaller).where(SilentCaller.number == number),
        delete(LeftNumber).where(
            LeftNumber.number == number,
            LeftNumber.token.is_(None),
            LeftNumber.outcome.is_distinct_from(LeftOutcome.REFUSED),
        ),
        delete(Follower).where(Follower.number == number),
        delete(MutedNotice).where(MutedNotice.number == number),
        update(CitizenCode).where(CitizenCode.number == number).values(over),
        update(Guest).where(Guest.number == number, Guest.ended_at.is_not(None)).values(number=NOBODY),
        update(Request).where(Request.contact == number).values(_NAMED_BY_NOBODY),
        update(UrgentMatter).where(UrgentMatter.number == number).values(number=None),
    )
    for statement in gone:
        session.execute(statement.execution_options(synchronize_session=False))
    sessions.end_all(session, number)


def due_files(session: Session, after: int, limit: int) -> Sequence[Erasure]:
    """The files that the clerk is to delete, at most `limit`, after the erasure of this id."""
    due = select(Erasure).where(Erasure.file.is_not(None), Erasure.id > after)
    return session.scalars(due.order_by(Erasure.id).limit(limit)).all()


def erased(session: Session, erasures: Sequence[Erasure]) -> None:
    """Their files are gone."""
    session.execute(delete(Erasure).where(Erasure.id.in_([each.id for each in erasures])))


def erase_words(session: Session) -> None:
    """Requests that are over now lose the words of whoever wished to be deleted."""
    over = (
        select(Erasure, Request)
        .join(Request, Request.id == Erasure.request_id)
        .where(Request.state.not_in(OPEN_REQUESTS))
        .order_by(Request.id)
        .with_for_update(of=Request)
    )
    at = now(session)
    for erasure, request in session.execute(over).all():
        forget_words(session, request, at)
        session.delete(erasure)
