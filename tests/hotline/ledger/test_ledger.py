"""The public ledger: complete, sealed, provable by strangers, and nothing in it can be changed unnoticed."""

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from clerk import process
from db.engine import reading, writing
from db.models import LedgerEntry, Registration
from db.states import Outcome
from hotline.errors import Refused
from hotline.ledger import ledger, seals
from hotline.ledger.verify import verify
from hotline.rounds import rounds
from ops.cli import app as command_line
from settings import Settings
from tests.factories import a_desk, a_user, at_once
from tests.kit.story import Story, a_live_round, told

DOCUMENT = Path(__file__).parents[3] / "docs" / "ledger.md"


@pytest.fixture
def conf(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_attempts": 2, "retry_seconds": 3600})


@pytest.fixture
def story(engine: Engine, conf: Settings) -> Story:
    return Story(engine, conf)


def problems(engine: Engine) -> list[str]:
    return verify(engine).problems


def free_to_edit(session: Session, table: str) -> None:
    """Drop what refuses changes: whoever rules the machine can."""
    if session.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER {table}_no_{what}"))
    else:
        session.execute(text(f"DROP TRIGGER only_appended ON {table}"))


def edit(engine: Engine, table: str, statement: str, **values: Any) -> None:
    with writing(engine) as session:
        free_to_edit(session, table)
        session.execute(text(statement), values)


# Completeness


def test_given_a_story_with_every_kind_of_fact_when_verified_then_all_is_in_order(
    story: Story, engine: Engine
) -> None:
    told(story)
    report = verify(engine)
    assert report.problems == []
    assert report.seals == 2
    with reading(engine) as session:
        facts = set(session.scalars(select(LedgerEntry.fact)))
        assert report.entries == session.scalar(select(func.max(LedgerEntry.id)))
    told_of = {"registered", "confirmed", "number_changed", "moved_up", "called", "outcome", "cancelled"}
    assert facts == told_of | {"carried"}


def test_given_a_second_registration_when_the_older_is_carried_beside_it_then_the_merge_is_told(
    story: Story, engine: Engine
) -> None:
    first = story.registers("+989131234567")
    with writing(engine) as session:
        official = rounds.get(session, story.round).official_id
        later, earlier = a_live_round(session, official).id, story.round
    story.round = later
    second = story.registers("+989131234567")
    with writing(engine) as session:
        rounds.end_round(session, rounds.get(session, earlier))
    process.carry_over(engine, story.conf)
    with reading(engine) as session:
        told_of_it = ledger.of_registration(session, second)[-1]
    assert told_of_it.fact == "merged" and f'"into":{first}' in told_of_it.details
    assert problems(engine) == []


def test_given_a_citizen_never_answered_in_two_rounds_when_closed_then_the_ledger_tells_all(
    story: Story, engine: Engine
) -> None:
    story.conf = story.conf.model_copy(update={"max_attempts": 1, "retry_seconds": 0})
    citizen = story.registers()
    for _ in range(2):
        assert story.called(Outcome.NO_ANSWER) == citizen
        story.goes_on()
    with reading(engine) as session:
        facts = [entry.fact for entry in ledger.of_registration(session, citizen)]
    assert facts == ["registered", "called", "outcome", "carried", "called", "outcome", "closed"]
    assert problems(engine) == []


def test_given_a_citizen_not_reached_when_he_gives_up_then_all_is_in_order(
    story: Story, engine: Engine
) -> None:
    story.conf = story.conf.model_copy(update={"max_attempts": 1})
    citizen = story.registers()
    story.called(Outcome.NO_ANSWER)
    story.cancels(citizen)
    assert problems(engine) == []


def test_given_a_citizen_tried_again_and_again_when_verified_then_each_stay_in_the_line_is_told_apart(
    story: Story, engine: Engine
) -> None:
    story.conf = story.conf.model_copy(update={"retry_seconds": 0})
    first, second = story.registers(), story.registers()
    for outcome in (Outcome.RETURNED, Outcome.CALL_AGAIN, Outcome.FAILED, Outcome.REACHED):
        assert story.called(outcome) == first
    assert story.called(None) == second
    assert problems(engine) == []


def test_given_20_citizens_when_they_register_at_once_then_entries_have_no_gap_and_all_is_in_order(
    story: Story, engine: Engine
) -> None:
    at_once(20, lambda _: story.registers())
    with reading(engine) as session:
        assert list(session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.id))) == [*range(1, 21)]
    assert problems(engine) == []


def test_given_desks_calling_while_others_register_and_move_when_verified_then_the_order_was_kept(
    story: Story, engine: Engine
) -> None:
    ids = [story.registers() for _ in range(24)]
    with writing(engine) as session:
        story.users = [a_user(session, a_desk(session)) for _ in range(8)]

    def act(which: int) -> None:
        if which < 8:
            for _ in range(3):
                story.called(Outcome.RETURNED if which % 2 else Outcome.REACHED, desk=which)
        elif which < 12:
            story.registers()
        else:
            with contextlib.suppress(Refused):  # was taken a moment before
                story.moves_up(ids[-which])

    at_once(16, act)
    assert problems(engine) == []


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # SQLite locks no rows
def test_given_a_line_whose_first_row_is_locked_when_a_desk_calls_the_second_then_the_ledger_names_the_first(
    story: Story, engine: Engine
) -> None:
    first, second = story.registers(), story.registers()
    with writing(engine) as other:
        other.execute(select(Registration).where(Registration.id == first).with_for_update())
        assert story.called(Outcome.REACHED) == second
    with reading(engine) as session:
        call = ledger.of_registration(session, second)[1]
    assert f'"passed":[{first}]' in call.details
    assert problems(engine) == []


def test_given_the_ledger_when_read_then_it_says_no_number_and_no_ticket(
    story: Story, engine: Engine
) -> None:
    told(story)
    with reading(engine) as session:
        whole = b"\n".join(ledger.canonical(entry) for entry in ledger.entries(session, 0, 1000)).decode()
        numbers = list(session.scalars(select(Registration.number)))
    assert numbers
    for number in numbers:
        assert number[-9:] not in whole
    for ticket in story.tickets.values():
        assert f'"{ticket}"' not in whole


# Nothing can be changed unnoticed


@pytest.mark.parametrize("table", ["ledger", "seals"])
@pytest.mark.parametrize("how", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_given_a_row_when_it_is_to_be_changed_then_the_database_refuses(
    story: Story, engine: Engine, table: str, how: str
) -> None:
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
    "details": ("details = replace(details, ',', ', ')", "entry 5"),  # the same to a JSON reader
    "digest": ("digest = '00'", "entry 5"),
}


@pytest.mark.parametrize("column", [c.name for c in LedgerEntry.__table__.columns])
def test_given_a_ledger_row_when_any_column_is_edited_then_verify_names_it(
    story: Story, engine: Engine, column: str
) -> None:
    told(story)
    change, named = EDITS[column]
    edit(engine, "ledger", f"UPDATE ledger SET {change} WHERE id = 5")
    assert any(problem.startswith(named) for problem in problems(engine))


def test_given_a_row_edited_with_its_digest_when_verified_then_its_seal_no_longer_fits(
    story: Story, engine: Engine
) -> None:
    told(story)
    with writing(engine) as session:
        free_to_edit(session, "ledger")
        entry = session.get_one(LedgerEntry, 5)
        entry.at += timedelta(microseconds=1)
        entry.digest = ledger.digest(entry)
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
def test_given_a_seal_when_any_column_is_edited_then_verify_names_it(
    story: Story, engine: Engine, change: str, which: str
) -> None:
    told(story)
    edit(engine, "seals", f"UPDATE seals SET {change} WHERE size = (SELECT {which}(size) FROM seals)")
    assert any(problem.startswith("seal ") for problem in problems(engine))


@pytest.mark.parametrize("which", ["= 5", "= (SELECT max(id) FROM ledger)"])
def test_given_a_sealed_row_when_it_is_deleted_then_verify_fails(
    story: Story, engine: Engine, which: str
) -> None:
    told(story)
    edit(engine, "ledger", f"DELETE FROM ledger WHERE id {which}")
    assert any("missing" in p or "more entries than there are" in p for p in problems(engine))


def test_given_every_later_number_moved_when_a_row_was_deleted_then_seals_and_digests_tell(
    story: Story, engine: Engine
) -> None:
    told(story)
    with writing(engine) as session:
        free_to_edit(session, "ledger")
        session.execute(text("DELETE FROM ledger WHERE id = 5"))
        count = session.scalar(select(func.max(LedgerEntry.id))) or 0
        for id_ in range(6, count + 1):
            session.execute(text("UPDATE ledger SET id = :to WHERE id = :id"), {"to": id_ - 1, "id": id_})
        session.expire_all()
        for entry in session.scalars(select(LedgerEntry)):
            entry.digest = ledger.digest(entry)
    assert any("its root is not" in problem for problem in problems(engine))


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
def test_given_a_registration_when_an_order_column_is_edited_then_verify_names_it(
    story: Story, engine: Engine, column: str, change: str
) -> None:
    victim = told(story)[6]
    with writing(engine) as session:
        session.execute(text(f"UPDATE registrations SET {change} WHERE id = {victim}"))
    assert problems(engine) == [f"registration {victim}: its {column} is not what the ledger tells"]


def test_given_a_registration_outside_the_ledger_when_verified_then_it_is_named(
    story: Story, engine: Engine
) -> None:
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
        ledger.record(session, ledger.Fact.CALLED, row, passed=[])


def test_given_a_queue_jumper_when_verified_then_who_was_passed_is_named(
    story: Story, engine: Engine
) -> None:
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
def test_given_facts_that_the_rules_do_not_know_when_verified_then_they_are_named(
    story: Story, engine: Engine, values: dict[str, Any], fact: str, named: str
) -> None:
    citizen = story.registers()
    with writing(engine) as session:
        row = session.get_one(Registration, citizen)
        for name, value in values.items():
            setattr(row, name, value)
        session.flush()
        ledger.record(session, ledger.Fact(fact), row)
    assert any(named in problem for problem in problems(engine))


# Seals and proofs


def test_given_nothing_new_when_sealed_again_then_there_is_no_second_seal(
    story: Story, engine: Engine
) -> None:
    with writing(engine) as session:
        assert seals.seal(session) is None
    story.registers()
    assert story.seals().size == story.seals().size == 1


@pytest.fixture(scope="module")
def stranger() -> dict[str, Callable[..., Any]]:
    """The verifier that the document shows, run as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    functions: dict[str, Callable[..., Any]] = {}
    exec(code, functions)
    return functions


def test_given_trees_of_every_size_when_proven_then_the_documents_verifier_agrees_and_finds_what_is_false(
    story: Story, engine: Engine, stranger: dict[str, Callable[..., Any]]
) -> None:
    sizes = range(1, 20)
    for _ in sizes:
        story.registers()
        made = story.seals()
        with reading(engine) as session:
            lines = [ledger.canonical(entry) for entry in ledger.entries(session, 0, 100)]
            assert stranger["root"](lines).hex() == made.root
            for number, each in enumerate(lines, 1):
                proof = seals.inclusion(session, number)
                assert stranger["included"](each, proof)
                assert not stranger["included"](each + b" ", proof)
            for old in range(1, made.size + 1):
                proof = seals.consistency(session, old, made.size)
                assert stranger["consistent"](proof)
                assert not stranger["consistent"](proof | {"old_root": "00" * 32})
    assert problems(engine) == []


def test_given_an_entry_not_sealed_yet_when_a_proof_is_asked_then_it_is_refused(
    story: Story, engine: Engine
) -> None:
    story.registers()
    with reading(engine) as session:
        for entry, code in ((1, "not-sealed-yet"), (2, "not-found")):
            with pytest.raises(Refused) as refused:
                seals.inclusion(session, entry)
            assert refused.value.code == code


# The command line


def test_given_the_command_line_when_it_seals_exports_and_verifies_then_it_says_what_is_wrong(
    story: Story, engine: Engine, conf: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(conf.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", conf.database)
    run = lambda *words: CliRunner().invoke(command_line, ["ledger", *words])  # noqa: E731
    story.registers()
    sealed = run("seal")
    assert sealed.exit_code == 0 and sealed.output.startswith("1 ")
    with reading(engine) as session:
        (entry,) = ledger.entries(session, 0, 10)
    assert run("export").stdout_bytes == ledger.canonical(entry) + b"\n"
    good = run("verify")
    assert (good.exit_code, good.output) == (0, "1 entries, 1 seals: all in order\n")
    edit(engine, "ledger", "UPDATE ledger SET round_id = 9")
    bad = run("verify")
    assert bad.exit_code == 1
    assert "entry 1: its digest is not that of its content" in bad.output


def test_given_the_ledgers_table_then_each_of_its_columns_is_written_and_hashed() -> None:
    written = {*ledger._COLUMNS, "digest"}
    assert written == set(LedgerEntry.__table__.columns.keys())
    entry = LedgerEntry(**dict.fromkeys(ledger._COLUMNS, "x"))
    entry.at = noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for name in ledger._COLUMNS:
        other = LedgerEntry(**{each: getattr(entry, each) for each in ledger._COLUMNS})
        setattr(other, name, noon + timedelta(seconds=1) if name == "at" else "y")
        assert ledger.canonical(other) != ledger.canonical(entry), name
