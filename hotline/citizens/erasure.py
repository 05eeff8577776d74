"""Deletion of a citizen: everything stored under a number goes at once; the scheduler deletes the files.

Some data stay: the order of the lines (the ledger has no numbers), and a reported problem until its solution.
A block, the audit log, and conversations with a marked threat stay, too: docs/citizens.md.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from db import events
from db.engine import hold_lock, now
from db.models import (
    BlockedNumber,
    Callback,
    CitizenCode,
    Confirmation,
    Erasure,
    Follower,
    Guest,
    MutedNotice,
    Note,
    OutboxMessage,
    PlacedCall,
    Recording,
    Registration,
    Request,
    RequestEntry,
    RoundAlert,
    SilentCaller,
    UrgentMatter,
    VoiceSummary,
)
from db.states import HOLDS_PLACE, LIVE, OPEN_REQUESTS, Fact, RegistrationState
from hotline import audit, numbers
from hotline.citizens import codes, sessions
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.line import blocked
from hotline.outbound import queue
from hotline.pictures import attachments
from hotline.recordings import archive
from hotline.requests import parts, ratings
from hotline.requests.lifecycle import BY_CITIZEN, IN_WORDS_OF_BODY
from hotline.requests.public import publications
from hotline.requests.referrals import agency_referrals
from hotline.uploads import pending_uploads
from hotline.words import PUBLIC

NOBODY = ""
"""Replaces a number that was deleted."""
MESSAGES, RECORDINGS, PICTURES = pending_uploads.MESSAGES, archive.ERASED_FROM, attachments.PLACE
_DELETED = RegistrationState.CANCELLED
_FORMER = "-"
"""Replaces the "+" of a number kept as proof of a threat, after somebody else got the number."""


def count_places(session: Session, number: str) -> int:
    """Count the places that a deletion of this number would give up."""
    mine = select(Registration.id).where(Registration.number == number, Registration.state.in_(HOLDS_PLACE))
    return len(session.scalars(mine).all())


def delete_citizen(session: Session, number: str, *, who: str, give_up: bool) -> None:
    """Delete everything stored under an E.164 `number`; `give_up` allows giving up the places that it holds.

    Raises Refused("places-held" | "in-call"), and deletes nothing then.
    """
    gone = _erase(session, number, give_up=give_up, proof=number)
    audit.record(session, who, "citizen-deleted", f"citizen {numbers.mask(number)}")
    _tell(session, gone)


def delete_former_owner(session: Session, number: str, *, who: str, reason: str, give_up: bool) -> None:
    """Delete the data of the former owner of an E.164 `number` that now belongs to somebody else.

    It deletes what `delete_citizen` deletes, and also a former «no» and a block. A proof of a threat is kept
    apart from the number. Raises what `delete_citizen` raises, and Refused("reason-missing").
    """
    why = audit.check_reason(reason)
    session.get(BlockedNumber, number, with_for_update=True)  # lock its row before the log as well
    gone = _erase(session, number, give_up=give_up, proof=_FORMER + number[1:])
    for statement in (
        delete(Confirmation).where(Confirmation.number == number, Confirmation.token.is_(None)),
        queue.build_deletion(number, refusals=True),
        update(PlacedCall).where(PlacedCall.number == number).values(number=NOBODY),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    audit.record(session, who, "number-new-owner", f"citizen {numbers.mask(number)}", why)
    _tell(session, gone, by="office", reason=PUBLIC.text("fa", "ledger", "number-new-owner"))
    blocked.unblock(session, number, who=who)


class _Gone(NamedTuple):
    """Deleted rows whose change must be announced."""

    places: Sequence[Registration]
    recordings: Sequence[Recording]


def _erase(session: Session, number: str, *, give_up: bool, proof: str) -> _Gone:
    """Delete rows and queue files. `proof` replaces the number of places that are kept because of a threat.

    Raises Refused("places-held" | "in-call").
    """
    hold_lock(session, number)
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
    session.flush()  # flush first: no other place of the number exists when its number is cleared
    threatened = _threatened(session, ids)
    for each in mine:
        each.number = proof if each.id in threatened else NOBODY
    session.execute(delete(VoiceSummary).where(VoiceSummary.registration_id.in_(ids)))
    hushed = _conversations(session, ids, at)
    _requests(session, number, at)  # lock requests before their pictures, as everywhere
    attachments.erase(session, attachments.drop_of_number(session, number))
    for folder, name in pending_uploads.drop_of_number(session, number):
        _file(session, folder, name, at)
    _traces(session, number, at)
    return _Gone(given_up, hushed)


def _tell(session: Session, gone: _Gone, **public: str) -> None:
    session.flush()  # write every row first, then the log
    for each in gone.places:
        entries.record(session, Fact.CANCELLED, each, **public)
        events.append_registration(session, each)
    for recording in gone.recordings:
        events.append_recording(session, recording, "deleted")


def _in_call(session: Session, number: str, ids: Sequence[int]) -> bool:
    """Return whether a call for these places is in progress, or one to the number as a third person."""
    live = select(Callback.id).where(Callback.registration_id.in_(ids), Callback.state.in_(LIVE))
    guest = select(Guest.id).where(Guest.number == number, Guest.ended_at.is_(None))
    return any(session.scalar(each.limit(1)) for each in (live, guest))


def _threatened(session: Session, ids: Sequence[int]) -> set[int]:
    """Return the registrations with a marked threat; they keep a number, because it is the proof."""
    marked = select(Callback.registration_id).where(
        Callback.registration_id.in_(ids), Callback.threat_at.is_not(None)
    )
    return set(session.scalars(marked))


def _conversations(session: Session, ids: Sequence[int], at: datetime) -> Sequence[Recording]:
    """Delete recordings and notes of the conversations, except those with a marked threat."""
    ended = select(Callback.id).where(Callback.registration_id.in_(ids), Callback.threat_at.is_(None))
    heard = session.scalars(
        select(Recording).where(Recording.callback_id.in_(ended), Recording.deleted_at.is_(None))
    ).all()
    for recording in heard:
        recording.deleted_at = at
        _file(session, RECORDINGS, recording.file, at)
    in_the_books = exists().where(Recording.callback_id == Callback.id)
    for token in session.scalars(select(Callback.token).where(Callback.id.in_(ended), ~in_the_books)):
        # the scheduler may not have recorded it yet
        _file(session, RECORDINGS, f"{token}{archive.SUFFIX}", at)
    session.execute(
        delete(Note).where(Note.callback_id.in_(ended)).execution_options(synchronize_session=False)
    )
    return heard


def _requests(session: Session, number: str, at: datetime) -> None:
    """Take the citizen out of their requests.

    An open request stays open, and loses its words when it ends.
    """
    mine = select(Request).where(Request.number == number).order_by(Request.id).with_for_update(of=Request)
    for request in session.scalars(mine).all():
        request.number = request.call_id = request.report_key = request.report_hash = None
        publications.forget_person(session, request.id)
        ratings.forget(session, [request.id])
        if request.state in OPEN_REQUESTS:
            agency_referrals.forget(
                session, [request.id, *(part.id for part in parts.list_all(session, request))]
            )
            session.add(Erasure(request_id=request.id, asked_at=at))
        else:
            forget_words(session, request, at)


def forget_words(session: Session, request: Request, at: datetime) -> None:
    """Delete the citizen's words, voice, pictures and location of a request and its parts.

    The answers of outside agencies go as well. The scheduler deletes the files.
    """
    for part in parts.list_all(session, request):
        forget_words(session, part, at)
    _file(session, MESSAGES, request.voice_message, at)
    request.voice_message, request.written, request.voice_deleted_at = None, "", at
    request.latitude, request.longitude, request.place, request.contact = None, None, "", ""
    agency_referrals.forget_words(session, [request.id])
    said = RequestEntry.request_id == request.id, RequestEntry.step.in_((*BY_CITIZEN, *IN_WORDS_OF_BODY))
    session.execute(update(RequestEntry).where(*said).values(note="", note_salt=None))
    attachments.erase(session, attachments.drop_of_request(session, request.id))


def _file(session: Session, folder: str, name: str | None, at: datetime) -> None:
    if name:
        session.add(Erasure(file=f"{folder}/{Path(name).name}", asked_at=at))


_NAMED_BY_NOBODY = {"contact": "", "report_key": None, "report_hash": None}
"""Clears a number that a program named as contact, and the hash that contains the number."""


def _traces(session: Session, number: str, at: datetime) -> None:
    """Delete the number's other rows.

    A «no» to calls stays for its 30 days, because it protects the person. Codes stay for the day in which
    limits count them, or a deletion would lift the limits.
    """
    over = {"tries": codes.TRIES, "ended_at": func.coalesce(CitizenCode.ended_at, at)}
    gone = (
        # first: the scheduler turns a wish into a message
        delete(RoundAlert).where(RoundAlert.number == number),
        delete(OutboxMessage).where(OutboxMessage.to == number),
        delete(Confirmation).where(
            Confirmation.number == number, Confirmation.token.is_(None), Confirmation.agreed.is_not(False)
        ),
        delete(Confirmation).where(Confirmation.new_number == number, Confirmation.token.is_(None)),
        update(Confirmation).where(Confirmation.asked_by == number).values(asked_by=None),
        delete(SilentCaller).where(SilentCaller.number == number),
        queue.build_deletion(number),
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


def list_due_files(session: Session, after: int, limit: int) -> Sequence[Erasure]:
    """Return at most `limit` files that the scheduler must delete, with ids above `after`."""
    due = select(Erasure).where(Erasure.file.is_not(None), Erasure.id > after)
    return session.scalars(due.order_by(Erasure.id).limit(limit)).all()


def delete_done(session: Session, erasures: Sequence[Erasure]) -> None:
    """Delete the rows of these files, which are gone."""
    session.execute(delete(Erasure).where(Erasure.id.in_([each.id for each in erasures])))


def erase_words(session: Session) -> None:
    """Delete the words of requests that have ended since their citizens were deleted."""
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
