"""Rows as JSON."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from api import schemas
from api.reports import audit_schemas
from db import models
from db.engine import now
from db.states import CallbackState, RegistrationState
from hotline import heartbeats, numbers
from hotline.callbacks import (
    call_quality,
    conversations,
    cut_conversations,
    direct_routing,
    transitions,
    waiting_callers,
    wrap_up,
)
from hotline.dates import Language
from hotline.desks import desk_messages, supervising, transfers
from hotline.line import order
from hotline.reports import audit_subjects, audit_texts
from hotline.rounds import notices, phases, planning
from hotline.trunk import circuit_breaker


def describe_round(round_: models.Round, at: datetime, counts: dict[RegistrationState, int]) -> schemas.Round:
    """Return a round at the moment `at`."""
    return schemas.Round(
        id=round_.id,
        official=describe_official(round_.official),
        substitute=describe_official(round_.substitute) if round_.substitute else None,
        deputies=[describe_official(deputy) for deputy in round_.deputies],
        announce_at=round_.announce_at,
        day_ahead=round_.starts_at - phases.find_known_at(round_) >= planning.NOTICE,
        notice=notices.find_state(round_, at),
        registration_from=round_.registration_from,
        registration_until=round_.registration_until,
        starts_at=round_.starts_at,
        ends_at=round_.ends_at,
        capacity=round_.capacity,
        languages=round_.languages.split(","),
        minutes=round_.minutes,
        reason=round_.reason,
        paused_at=round_.paused_at,
        recorded=round_.recorded,
        is_operators_line=round_.is_operators_line,
        rule_id=round_.rule_id,
        phase=phases.find_phase(round_, at),
        takes_registrations=phases.may_register(round_, at),
        counts=schemas.Counts.model_validate({state.value: n for state, n in counts.items()}),
    )


def describe_rounds(session: Session, found: Sequence[models.Round]) -> list[schemas.Round]:
    """Return these rounds at this moment, with their counts."""
    counts, at = phases.count_by_state(session, [round_.id for round_ in found]), now(session)
    return [describe_round(round_, at, counts[round_.id]) for round_ in found]


def find_round(session: Session, round_: models.Round) -> schemas.Round:
    """Return a round at this moment, with its counts."""
    return describe_rounds(session, [round_])[0]


def describe_quality(measured: models.CallQuality | None) -> schemas.Quality | None:
    """Return the sound quality of a conversation at its desk, if measured."""
    if measured is None:
        return None
    numbers_ = {name: getattr(measured, name) for name in schemas.Measured.model_fields}
    return schemas.Quality(**numbers_, bad=call_quality.is_bad(measured))


def describe_official(official: models.Official) -> schemas.Official:
    """Return an office's JSON."""
    return schemas.Official.model_validate(official, from_attributes=True)


def describe_registration(
    registration: models.Registration,
    place: int | None,
    desk_id: int | None,
    *,
    on_the_line: bool,
    masked: bool = False,
) -> schemas.Registration:
    """Return a registration at its place in the line, with the desk that has it, if any."""
    number = numbers.mask(registration.number) if masked else registration.number
    return schemas.Registration(
        id=registration.id,
        ticket=registration.ticket,
        number=numbers.format_national(number),
        subject=registration.subject,
        has_voice_message=registration.voice_message is not None,
        state=registration.state,
        place=place,
        why=order.find_reason(registration),
        moved_reason=registration.moved_reason,
        rounds_missed=registration.rounds_missed,
        attempts=registration.attempts,
        registered_at=registration.registered_at,
        not_before=registration.not_before,
        last_outcome=registration.last_outcome,
        desk_id=desk_id,
        on_the_line=on_the_line,
    )


def find_registration(
    session: Session, registration: models.Registration, desk_id: int | None = None, *, masked: bool = False
) -> schemas.Registration:
    """Return a registration at its present place."""
    waits = registration.state is RegistrationState.WAITING
    place = order.count_before(session, registration) + 1 if waits else None
    waits_there = bool(waiting_callers.list_waiting_among(session, [registration.id]))
    return describe_registration(registration, place, desk_id, on_the_line=waits_there, masked=masked)


def describe_callback(session: Session, callback: models.Callback) -> schemas.Callback:
    """Return a callback with its registration."""
    holder = None if callback.state is CallbackState.CLOSED else callback.desk_id
    return schemas.Callback(
        id=callback.id,
        round_id=callback.round_id,
        desk_id=callback.desk_id,
        screen_desk_id=callback.screen_desk_id,
        given_by_desk_id=callback.given_by_desk_id,
        arriving=transfers.is_arriving(session, callback),
        registration=find_registration(session, callback.registration, holder),
        state=callback.state,
        outcome=callback.outcome,
        notes=describe_notes(callback),
        claimed_at=callback.claimed_at,
        called_at=callback.called_at,
        answered_at=callback.answered_at,
        confirmed_at=callback.confirmed_at,
        talking_at=callback.talking_at,
        finishing_at=callback.finishing_at,
        held_until=callback.held_until,
        held_at=callback.held_at,
        on_hold_at=callback.on_hold_at,
        threat_at=callback.threat_at,
        held_seconds=callback.held_s,
        parting_until=conversations.find_undo_end(callback),
        ended_at=callback.ended_at or wrap_up.find_over_since(callback),
        default_outcome=conversations.find_default_outcome(callback),
        on_the_line=waiting_callers.is_on_the_line(session, callback),
    )


def describe_notes(callback: models.Callback) -> list[schemas.Note]:
    """Return a conversation's notes, oldest first."""
    return [schemas.Note.model_validate(note, from_attributes=True) for note in callback.notes]


def describe_desk(session: Session, desk: models.Desk, in_hand: models.Callback | None) -> schemas.Desk:
    """Return a desk with its present callback, if any."""
    own = {name: getattr(desk, name) for name in schemas.Desk.model_fields if name != "wrap_up_since"}
    return schemas.Desk(**own, wrap_up_since=wrap_up.find_since(session, desk, in_hand))


def describe_department(department: models.Department) -> schemas.DepartmentName:
    """Return a department's names."""
    return schemas.DepartmentName.model_validate(department, from_attributes=True)


def describe_me(session: Session, user: models.User) -> schemas.Me:
    """Return the signed-in person, with the state of their desk."""

    def of_desk(find: Callable[[Session, int], models.Callback | None]) -> schemas.Callback | None:
        found = find(session, user.desk_id) if user.desk_id else None
        return describe_callback(session, found) if found else None

    in_hand = transitions.find_live_at_desk(session, user.desk_id) if user.desk_id else None
    down = circuit_breaker.find_outage(session)
    return schemas.Me(
        username=user.username,
        name=user.name,
        role=user.role,
        official_id=user.official_id,
        department=describe_department(user.department) if user.department else None,
        heads_department=user.heads_department,
        desk=describe_desk(session, user.desk, in_hand) if user.desk else None,
        callback=describe_callback(session, in_hand) if in_hand else None,
        parting=of_desk(conversations.find_undoable),
        cut_off=of_desk(cut_conversations.find_at_desk),
        given_away=of_desk(transfers.find_given_away),
        calls_down_since=down.since if down else heartbeats.find_silent_since(session, "dialer"),
        takes_live=direct_routing.takes_live_calls(session, user.desk) if user.desk else False,
        said_live=user.desk.takes_live if user.desk else None,
        heard_by=_heard_by(session, user.desk_id),
        consulted_in=_consulted_in(session, user.desk) if user.desk else None,
        words=_words(session, user.desk_id),
    )


def _heard_by(session: Session, desk_id: int | None) -> list[schemas.Heard]:
    return [
        schemas.Heard(how=ear.how, name=None if ear.how is models.Hearing.LISTEN else ear.name)
        for ear in supervising.list_supervisors(session)
        if ear.desk_id == desk_id
    ]


def _consulted_in(session: Session, desk: models.Desk) -> schemas.Colleagues | None:
    callback = transfers.find_consultation(session, desk)
    if callback is None or callback.desk_id is None:
        return None
    return schemas.Colleagues(
        callback_id=callback.id,
        desk_id=callback.desk_id,
        ticket=callback.registration.ticket,
        subject=callback.registration.subject,
        waits=callback.on_hold_at is not None,
        notes=describe_notes(callback),
    )


def _words(session: Session, desk_id: int | None) -> list[schemas.DeskWord]:
    return [
        schemas.DeskWord(id=word.id, text=word.text, name=name or word.who, sent_at=word.sent_at)
        for word, name in (desk_messages.list_unread(session, desk_id) if desk_id else ())
    ]


def list_audit_entries(
    session: Session, entries: Sequence[models.AuditEntry], language: Language
) -> list[audit_schemas.AuditEntry]:
    """Return entries of the audit log, as stored and as text in the language."""
    named = audit_subjects.find_names(session, (entry.subject for entry in entries), language)
    return [_audit_entry(entry, language, named) for entry in entries]


def _audit_entry(
    entry: models.AuditEntry, language: Language, named: Mapping[str, audit_subjects.Named]
) -> audit_schemas.AuditEntry:
    words = audit_texts.describe_entry(entry, language, named)
    found = named.get(audit_subjects.parse_subject(entry.subject))
    return audit_schemas.AuditEntry(
        page=found.page if found else None,
        id=entry.id,
        at=entry.at,
        who=entry.who,
        action=entry.action,
        subject=entry.subject,
        reason=entry.reason,
        who_text=words.who,
        action_text=words.action,
        subject_text=words.subject,
        reason_text=words.reason,
    )
