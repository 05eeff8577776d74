"""The history of requests in the ledger: nothing is changed, removed or added unnoticed; words can go."""

import json
import re
from hashlib import sha256

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from db.engine import now, writing
from db.models import LedgerEntry, Request, RequestEntry
from db.states import Fact, RequestState, RequestStep
from hotline.citizens import erasure, retention
from hotline.ledger import entries, seals
from hotline.requests import closing, lifecycle, work
from hotline.requests.parts import Piece
from tests.factories import a_request, at_once
from tests.hotline.ledger.tampering import edit, free_to_edit, problems
from tests.hotline.requests.office import DAY, T, refer

NUMBER, SAID = "+989131112233", "هنوز تاریک است"


def a_history(session: Session) -> Request:
    """Referred, replied, denied by its citizen in words, replied again, confirmed."""
    request = a_request(session, number=NUMBER)
    refer(session, request)
    work.reply(session, request, who="d", reply="چراغ عوض شد")
    closing.answer(session, request.id, solved=False, note=SAID)
    work.reply(session, request, who="e", reply="سیم عوض شد")
    closing.answer(session, request.id, solved=True)
    return request


@pytest.fixture
def history(engine: Engine) -> list[int]:
    """The ids of its steps."""
    with writing(engine) as session:
        request = a_history(session)
        seals.seal(session)
        return [step.id for step in lifecycle.list_steps(session, request)]


def leaves(session: Session) -> list[LedgerEntry]:
    facts = select(LedgerEntry).where(LedgerEntry.fact == Fact.REQUEST_STEP)
    return list(session.scalars(facts.order_by(LedgerEntry.id)))


def test_each_step_is_a_leaf_without_text_or_number(engine: Engine, history: list[int]) -> None:
    with writing(engine) as session:
        tracking = session.scalars(select(Request.tracking)).one()
        steps = session.scalars(select(RequestEntry).order_by(RequestEntry.id)).all()
        found = leaves(session)
        assert [leaf.step_id for leaf in found] == history
        for leaf in found:
            line = entries.format_canonical(leaf).decode()
            assert re.fullmatch(
                r'\[\d+,"[0-9TZ:.-]+","request_step",null,null,'
                r'\{"note":"[0-9a-f]{64}","office":"[0-9a-f]{64}","step":"[0-9a-f]{64}"\}\]',
                line,
            )
            assert tracking not in line
        for proven in lifecycle.list_proven_steps(session, session.scalars(select(Request)).one()):
            kept = json.loads(proven.entry.details)
            assert sha256(proven.told.encode()).hexdigest() == kept["step"]
            if proven.step.step in (T.REFERRED, T.CONFIRMED):
                assert proven.note is None, "the office's own note, or none that a citizen reads"
            else:
                assert proven.note and sha256(proven.note.encode()).hexdigest() == kept["note"]
            assert json.loads(proven.told)[1:3] == [tracking, proven.step.step]
        assert len({step.salt for step in steps} | {step.note_salt for step in steps}) == 2 * len(steps)
    assert problems(engine) == []


def test_merged_split_and_expired_requests_verify(engine: Engine) -> None:
    with writing(engine) as session:
        first, second, whole = (a_request(session) for _ in range(3))
        closing.merge(session, second.id, first.id, who="u")
        closing.undo_merge(session, second, who="u")
        one, other = work.split(session, whole, [Piece(1, "چراغ"), Piece(2, "آسفالت")], who="u")
        for part in (one, other):
            refer(session, part)
            work.reply(session, part, who="d", reply="شد")
        lifecycle.log(session, first, T.REMINDED, "", due_at=now(session) + DAY)
        steps = session.scalar(select(func.count(RequestEntry.id)))
        assert len(leaves(session)) == steps
        (ended,) = [p for p in lifecycle.list_proven_steps(session, whole) if p.step.step is T.REPLIED]
        assert json.loads(ended.told)[-1] == "office", "its parts have ended it, and no citizen"
    assert problems(engine) == []


EDITS = {
    "id": ("id = id + 1000", "is missing"),
    "request_id": ("request_id = (SELECT max(id) FROM requests)", "what was done"),
    "at": ("at = '2020-01-01 00:00:00.000000'", "what was done"),
    "step": ("step = 'rejected'", "what was done"),
    "who": ("who = 'x'", "who did it"),
    "department_id": ("department_id = (SELECT max(id) FROM departments)", "who did it"),
    "due_at": ("due_at = '2020-01-01 00:00:00.000000'", "who did it"),
    "other_id": ("other_id = request_id", "who did it"),
    "note": ("note = 'x'", "its note"),
    "salt": ("salt = '00'", "who did it"),
    "note_salt": ("note_salt = '00'", "its note"),
}


@pytest.mark.parametrize("column", [column.name for column in RequestEntry.__table__.columns])
def test_edited_step_is_refused_or_named(engine: Engine, history: list[int], column: str) -> None:
    change, named = EDITS[column]
    with writing(engine) as session:
        a_request(session)
        refer(session, a_request(session))
    step = history[1]
    statement = f"UPDATE request_history SET {change} WHERE id = {step}"
    with pytest.raises(DatabaseError, match="only ever appended"), writing(engine) as session:
        session.execute(text(statement))
    edit(engine, "request_history", statement)
    found = problems(engine)
    assert named in found[-1 if column == "salt" else 0]
    assert all(f"step {step} of" in problem for problem in found) or column == "id"
    assert len(found) == (2 if column in ("id", "salt") else 1)


def test_deleted_step_is_refused_or_named(engine: Engine, history: list[int]) -> None:
    statement = f"DELETE FROM request_history WHERE id = {history[1]}"
    with pytest.raises(DatabaseError, match="only ever appended"), writing(engine) as session:
        session.execute(text(statement))
    edit(engine, "request_history", statement)
    with writing(engine) as session:
        entry = leaves(session)[1].id
    assert problems(engine) == [f"entry {entry}: its step of a request's history is missing"]


def test_inserted_step_is_named(engine: Engine, history: list[int]) -> None:
    with writing(engine) as session:
        request = session.scalars(select(Request)).one()
        added = RequestEntry(
            request_id=request.id, at=now(session), who="x", step=RequestStep.REPLIED, note=""
        )
        session.add(added)
        session.flush()
        named = f"step {added.id} of request {request.id}: is not in the ledger"
    assert problems(engine) == [named]


def test_step_rewritten_with_its_leaf_breaks_the_seal(engine: Engine, history: list[int]) -> None:
    with writing(engine) as session:
        for table in ("request_history", "ledger"):
            free_to_edit(session, table)
        session.execute(text(f"UPDATE request_history SET note_salt = '00' WHERE id = {history[1]}"))
        leaf = leaves(session)[1]
        note = sha256('["00","چراغ عوض شد"]'.encode()).hexdigest()
        leaf.details = json.dumps(
            json.loads(leaf.details) | {"note": note}, sort_keys=True, separators=(",", ":")
        )
        leaf.digest = entries.hash_entry(leaf)
    found = problems(engine)
    assert found and all(problem.startswith("seal ") for problem in found)


@pytest.mark.parametrize("by_time", [False, True])
def test_deleted_words_of_a_citizen_leave_the_ledger_whole(
    engine: Engine, history: list[int], by_time: bool
) -> None:
    with writing(engine) as session:
        if by_time:
            request = session.scalars(select(Request)).one()
            request.made_at -= 2 * DAY
            session.flush()
            erasure.forget_words(session, request, now(session))
        else:
            erasure.delete_citizen(session, NUMBER, who="citizen", give_up=True)
        seals.seal(session)
    with writing(engine) as session:
        kept = session.execute(select(RequestEntry.note, RequestEntry.note_salt)).all()
        assert SAID not in [note for note, _ in kept] and ("", None) in kept
        assert [note for note, _ in kept].count("چراغ عوض شد") == 1
        request = session.scalars(select(Request)).one()
        denied = [
            each for each in lifecycle.list_proven_steps(session, request) if each.step.step is T.DENIED
        ]
        assert [each.note for each in denied] == [None]
        assert retention.forget_requests(session, 400, 1) == 0
    assert problems(engine) == []


def test_emptied_words_of_the_city_are_refused_or_named(engine: Engine, history: list[int]) -> None:
    statement = f"UPDATE request_history SET note = '', note_salt = NULL WHERE id = {history[1]}"
    with pytest.raises(DatabaseError, match="only ever appended"), writing(engine) as session:
        session.execute(text(statement))
    edit(engine, "request_history", statement)
    (problem,) = problems(engine)
    assert problem.startswith(f"step {history[1]} of request") and "emptied" in problem


def test_concurrent_requests_leave_one_leaf_per_step(
    engine: Engine,
) -> None:
    def report(_which: int) -> None:
        with writing(engine) as session:
            lifecycle.log(session, a_request(session), T.REPORTED, "")

    at_once(8, report)
    with writing(engine) as session:
        assert [leaf.id for leaf in leaves(session)] == list(range(1, 9))
        assert len({leaf.step_id for leaf in leaves(session)}) == 8
        assert session.scalars(select(Request.state)).first() is RequestState.NEW
    assert problems(engine) == []
