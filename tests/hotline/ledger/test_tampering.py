"""Nothing in the ledger can be changed unnoticed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DatabaseError

from db.engine import writing
from db.models import LedgerEntry, Registration
from hotline.ledger import entries
from tests.hotline.ledger.tampering import edit, free_to_edit, problems
from tests.kit.databases import in_both, on_one  # noqa: F401  (fixture)
from tests.kit.story import Story, told


@in_both
@pytest.mark.parametrize("table", ["ledger", "seals"])
@pytest.mark.parametrize("how", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_database_refuses_to_change_a_row(story: Story, engine: Engine, table: str, how: str) -> None:
    story.registers()
    story.seals()
    column = {"ledger": "id", "seals": "size"}[table]
    with pytest.raises(DatabaseError, match="only ever appended"), writing(engine) as session:
        session.execute(text(how.format(table, column, column)))


EDITS = {
    "id": ("id = 500", "entry 500"),
    "at": ("at = '2020-01-01 00:00:00.000000'", "entry 5"),
    "fact": ("fact = 'cancelled'", "entry 5"),
    "round_id": ("round_id = 77", "entry 5"),
    "registration_id": ("registration_id = 1", "entry 5"),
    "step_id": ("step_id = 77", "entry 5"),
    "details": ("details = replace(details, ',', ', ')", "entry 5"),  # the same to a JSON reader
    "digest": ("digest = '00'", "entry 5"),
}


@in_both
@pytest.mark.parametrize("column", [c.name for c in LedgerEntry.__table__.columns])
def test_edited_ledger_row_is_named(story: Story, engine: Engine, column: str) -> None:
    told(story)
    change, named = EDITS[column]
    edit(engine, "ledger", f"UPDATE ledger SET {change} WHERE id = 5")
    assert any(problem.startswith(named) for problem in problems(engine))


def test_row_edited_with_its_digest_breaks_the_seal(story: Story, engine: Engine) -> None:
    told(story)
    with writing(engine) as session:
        free_to_edit(session, "ledger")
        entry = session.get_one(LedgerEntry, 5)
        entry.at += timedelta(microseconds=1)
        entry.digest = entries.hash_entry(entry)
    found = problems(engine)
    assert found and all(problem.startswith("seal ") for problem in found)


@pytest.mark.parametrize(
    "change",
    [
        "size = size + 1",
        f"root = '{'0' * 64}'",
        "sealed_at = '2020-01-01 00:00:00.000000'",
        "sealed_at = '2090-01-01 00:00:00.000000'",
    ],
)
@pytest.mark.parametrize("which", ["min", "max"])
def test_edited_seal_is_named(story: Story, engine: Engine, change: str, which: str) -> None:
    told(story)
    edit(engine, "seals", f"UPDATE seals SET {change} WHERE size = (SELECT {which}(size) FROM seals)")
    assert any(problem.startswith("seal ") for problem in problems(engine))


@pytest.mark.parametrize("which", ["= 5", "= (SELECT max(id) FROM ledger)"])
def test_deleted_sealed_row_fails_verification(story: Story, engine: Engine, which: str) -> None:
    told(story)
    edit(engine, "ledger", f"DELETE FROM ledger WHERE id {which}")
    assert any("missing" in p or "more entries than there are" in p for p in problems(engine))


def test_renumbered_rows_after_a_deletion_break_the_seal(story: Story, engine: Engine) -> None:
    told(story)
    with writing(engine) as session:
        free_to_edit(session, "ledger")
        session.execute(text("DELETE FROM ledger WHERE id = 5"))
        count = session.scalar(select(func.max(LedgerEntry.id))) or 0
        for id_ in range(6, count + 1):
            session.execute(text("UPDATE ledger SET id = :to WHERE id = :id"), {"to": id_ - 1, "id": id_})
        session.expire_all()
        for entry in session.scalars(select(LedgerEntry)):
            entry.digest = entries.hash_entry(entry)
    assert any("its root is not" in problem for problem in problems(engine))


@in_both
@pytest.mark.parametrize(
    "column, change",
    [
        ("round_id", "round_id = (SELECT min(id) FROM rounds)"),
        ("state", "state = 'cancelled'"),
        ("moved_up", "moved_up = 1"),
        ("rounds_missed", "rounds_missed = rounds_missed + 1"),
        ("registered_at", "registered_at = '2020-01-01 00:00:00.000000'"),
        ("not_before", "not_before = '2020-01-01 00:00:00.000000'"),
    ],
)
def test_edited_order_of_a_registration_is_named(
    story: Story, engine: Engine, column: str, change: str
) -> None:
    victim = told(story)[6]
    with writing(engine) as session:
        session.execute(text(f"UPDATE registrations SET {change} WHERE id = {victim}"))
    assert problems(engine) == [f"registration {victim}: its {column} is not what the ledger tells"]


def test_registration_outside_the_ledger_is_named(story: Story, engine: Engine) -> None:
    told(story)
    with writing(engine) as session:
        session.execute(
            text(
                "INSERT INTO registrations (round_id, number, ticket, language, state, moved_up,"
                " moved_reason, rounds_missed, rounds_unanswered, registered_at, attempts) VALUES"
                f" ({story.round}, '+989130000000', '1234567', 'fa', 'waiting', 0, '', 5, 0,"
                " '2020-01-01 00:00:00.000000', 0)"
            )
        )
    (problem,) = problems(engine)
    assert problem.endswith("is not in the ledger")


def cheat_calls_the_second(story: Story, second: int) -> None:
    """Somebody changes the program, not the data: the ledger is written as by the rules."""
    with writing(story.engine) as session:
        row = session.get_one(Registration, second)
        row.state = "calling"  # type: ignore[assignment]
        session.flush()
        entries.record(session, entries.Fact.CALLED, row, passed=[])


def test_queue_jumper_is_named_with_the_passed_citizen(story: Story, engine: Engine) -> None:
    first, second = story.registers(), story.registers()
    cheat_calls_the_second(story, second)
    assert problems(engine) == [f"entry 3: registration {second} was called, but {first} stood before it"]


@pytest.mark.parametrize(
    "values, fact, named",
    [
        ({"moved_up": 1}, "moved_up", "without a reason"),
        ({"moved_up": 1}, "outcome", "changes moved_up"),
        ({"rounds_missed": 2}, "carried", "does not add one missed round"),
        ({"state": "reached"}, "outcome", "leads from waiting to reached"),
        ({"state": "calling"}, "deferred", "leads from waiting to calling"),
        ({"state": "unreached", "rounds_missed": 1}, "deferred", "changes rounds_missed"),
    ],
)
def test_impossible_facts_are_named(
    story: Story, engine: Engine, values: dict[str, Any], fact: str, named: str
) -> None:
    citizen = story.registers()
    with writing(engine) as session:
        row = session.get_one(Registration, citizen)
        for name, value in values.items():
            setattr(row, name, value)
        session.flush()
        entries.record(session, entries.Fact(fact), row)
    assert any(named in problem for problem in problems(engine))
