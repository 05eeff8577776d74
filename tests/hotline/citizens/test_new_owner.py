"""A number that another person has now, who finds nothing of the owner before."""

import json

from sqlalchemy import Engine, select

from db.engine import now, writing
from db.models import (
    AuditEntry,
    BlockReason,
    Note,
    PlacedCall,
    Registration,
    Request,
)
from db.states import (
    CallbackState,
    Fact,
    Phase,
    RegistrationState,
    RequestState,
)
from hotline.citizens import account_contents, erasure
from hotline.ledger import entries, seals, verify
from hotline.line import blocked, registration
from settings import Settings
from tests import factories as make
from tests.hotline.citizens.a_life import NUMBER, OTHER, a_life
from tests.kit.refusal import refusal


def new_owner(engine: Engine, *, give_up: bool = True, reason: str = "با مدرک آمد") -> None:
    with writing(engine) as session:
        erasure.delete_former_owner(session, NUMBER, who="supervisor1", reason=reason, give_up=give_up)


def test_new_owner_of_a_number_finds_nothing_of_the_former(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        blank = account_contents.export(session, OTHER, who="x")
        keyed = make.keyed_in(session, make.a_round(session), NUMBER)
        keyed.agreed, keyed.decided_at = False, now(session)
        session.add(PlacedCall(token="callback-1", number=NUMBER, at=now(session)))
        talk = make.a_callback(session, CallbackState.CLOSED, number=NUMBER)
        talk.registration.state = RegistrationState.REACHED
        talk.threat_at = now(session)
        make.a_note(session, talk, "تهدید کرد")
        blocked.block(session, NUMBER, BlockReason.NUISANCE)
        make.a_request(session, RequestState.NEW, number=NUMBER)
        waiting = registration.register(session, round_id=make.a_round(session).id, number=OTHER)
        open_before = len(session.scalars(select(Request).where(Request.state == RequestState.NEW)).all())
    new_owner(engine)
    with writing(engine) as session:
        found = account_contents.export(session, NUMBER, who="x")
        assert {name: part for name, part in found.items() if name not in ("number", "exported_at")} == {
            name: part for name, part in blank.items() if name not in ("number", "exported_at")
        }
        kept = session.get_one(Registration, talk.registration_id).number
        assert kept == f"-{NUMBER[1:]}", "the proof of a threat is apart"
        assert session.scalars(select(Note)).one()
        assert (
            len(session.scalars(select(Request).where(Request.state == RequestState.NEW)).all())
            == open_before
        )
        assert session.get_one(Registration, waiting.registration_id).number == OTHER
        written = session.scalars(select(AuditEntry).where(AuditEntry.action == "number-new-owner")).one()
        assert registration.register(session, round_id=make.a_round(session).id, number=NUMBER)
    assert (written.who, written.subject, written.reason) == ("supervisor1", "citizen +989…37", "با مدرک آمد")


def test_place_lost_to_a_new_owner_has_its_reason_in_the_ledger(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        live = make.a_round(session, Phase.OPEN)
        ids = [
            registration.register(session, round_id=live.id, number=number).registration_id
            for number in (OTHER, NUMBER)
        ]
        seals.seal(session)
    assert refusal(new_owner, engine, give_up=False) == "places-held"
    assert refusal(new_owner, engine, reason=" ") == "reason-missing"
    new_owner(engine)
    with writing(engine) as session:
        seals.seal(session)
        last = entries.list_by_registration(session, ids[1])[-1]
        assert session.get_one(Registration, ids[0]).state is RegistrationState.WAITING
    assert (
        last.fact is Fact.CANCELLED
        and "شماره به کس دیگری واگذار شده است" in json.loads(last.details)["reason"]
    )
    assert verify.verify(engine).problems == []


def test_new_owner_during_a_conversation_is_refused(
    engine: Engine,
) -> None:
    with writing(engine) as session:
        make.a_callback(session, CallbackState.TALKING, number=NUMBER)
    assert refusal(new_owner, engine) == "in-call"
