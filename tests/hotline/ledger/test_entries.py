"""The public ledger is complete: it tells every fact, in order, and no number; on the command line, too."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from db.engine import reading, writing
from db.models import LedgerEntry, Registration
from db.states import Outcome
from hotline.errors import Refused
from hotline.ledger import entries
from hotline.ledger.verify import verify
from hotline.rounds import phases
from ops.cli import app as command_line
from scheduler import jobs
from settings import Settings
from tests.factories import a_desk, a_user, at_once
from tests.hotline.ledger.tampering import edit, problems
from tests.kit.shifted_clock import ShiftedClock, clock
from tests.kit.story import Story, a_live_round, told

__all__ = ["clock"]


def test_story_with_every_kind_of_fact_verifies(story: Story, engine: Engine) -> None:
    told(story)
    report = verify(engine)
    assert report.problems == []
    assert report.seals == 2
    with reading(engine) as session:
        facts = set(session.scalars(select(LedgerEntry.fact)))
        assert report.entries == session.scalar(select(func.max(LedgerEntry.id)))
    told_of = {"registered", "confirmed", "number_changed", "moved_up", "called", "outcome", "cancelled"}
    assert facts == told_of | {"carried"}


def test_second_registration_of_a_carried_number_is_merged(story: Story, engine: Engine) -> None:
    first = story.registers("+989131234567")
    with writing(engine) as session:
        official = phases.get(session, story.round).official_id
        later, earlier = a_live_round(session, official).id, story.round
    story.round = later
    second = story.registers("+989131234567")
    with writing(engine) as session:
        phases.end_round(session, phases.get(session, earlier))
    jobs.carry_over(engine, story.conf)
    with reading(engine) as session:
        told_of_it = entries.list_by_registration(session, second)[-1]
    assert told_of_it.fact == "merged" and f'"into":{first}' in told_of_it.details
    assert problems(engine) == []


def test_citizen_closed_after_two_rounds_has_every_fact(story: Story, engine: Engine) -> None:
    story.conf = story.conf.model_copy(update={"max_attempts": 1, "retry_seconds": 0})
    citizen = story.registers()
    for _ in range(2):
        assert story.called(Outcome.NO_ANSWER) == citizen
        story.goes_on()
    with reading(engine) as session:
        facts = [entry.fact for entry in entries.list_by_registration(session, citizen)]
    assert facts == ["registered", "called", "outcome", "carried", "called", "outcome", "closed"]
    assert problems(engine) == []


def test_cancelled_unreached_place_verifies(story: Story, engine: Engine) -> None:
    story.conf = story.conf.model_copy(update={"max_attempts": 1})
    citizen = story.registers()
    story.called(Outcome.NO_ANSWER)
    story.cancels(citizen)
    assert problems(engine) == []


def test_repeated_attempts_of_a_citizen_verify(story: Story, engine: Engine) -> None:
    story.conf = story.conf.model_copy(update={"retry_seconds": 0})
    first, second = story.registers(), story.registers()
    for outcome in (Outcome.RETURNED, Outcome.CALL_AGAIN, Outcome.FAILED, Outcome.REACHED):
        assert story.called(outcome) == first
    assert story.called(None) == second
    assert problems(engine) == []


def test_twenty_simultaneous_registrations_leave_no_gap(story: Story, engine: Engine) -> None:
    at_once(20, lambda _: story.registers())
    with reading(engine) as session:
        assert list(session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.id))) == [*range(1, 21)]
    assert problems(engine) == []


def test_concurrent_calls_and_moves_keep_the_order(story: Story, engine: Engine) -> None:
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
def test_locked_first_row_is_named_as_passed(story: Story, engine: Engine) -> None:
    first, second = story.registers(), story.registers()
    with writing(engine) as other:
        other.execute(select(Registration).where(Registration.id == first).with_for_update())
        assert story.called(Outcome.REACHED) == second
    with reading(engine) as session:
        call = entries.list_by_registration(session, second)[1]
    assert f'"passed":[{first}]' in call.details
    assert problems(engine) == []


def test_ledger_holds_no_number_and_no_ticket(story: Story, engine: Engine) -> None:
    told(story)
    with reading(engine) as session:
        whole = b"\n".join(
            entries.format_canonical(entry) for entry in entries.list_entries(session, 0, 1000)
        ).decode()
        numbers = list(session.scalars(select(Registration.number)))
    assert numbers
    for number in numbers:
        assert number[-9:] not in whole
    for ticket in story.tickets.values():
        assert f'"{ticket}"' not in whole


def test_commands_seal_export_and_report_an_edited_entry(
    story: Story, engine: Engine, conf: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(conf.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", conf.database)
    run = lambda *words: CliRunner().invoke(command_line, ["ledger", *words])  # noqa: E731
    story.registers()
    sealed = run("seal")
    assert sealed.exit_code == 0 and sealed.output.startswith("1 ")
    with reading(engine) as session:
        (entry,) = entries.list_entries(session, 0, 10)
    assert run("export").stdout_bytes == entries.format_canonical(entry) + b"\n"
    good = run("verify")
    assert (good.exit_code, good.output) == (0, "1 entries, 1 seals: all in order\n")
    edit(engine, "ledger", "UPDATE ledger SET round_id = 9")
    bad = run("verify")
    assert bad.exit_code == 1
    assert "entry 1: its digest is not that of its content" in bad.output


def test_verify_tells_a_leap_apart_from_a_broken_order(
    story: Story, engine: Engine, conf: Settings, monkeypatch: pytest.MonkeyPatch, clock: ShiftedClock
) -> None:
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(conf.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", conf.database)
    with writing(engine) as session:
        round_ = phases.get(session, story.round)
        round_.ends_at = round_.registration_until = round_.ends_at + timedelta(days=3)
    verify_all = lambda: CliRunner().invoke(command_line, ["ledger", "verify"])  # noqa: E731
    story.registers()
    clock.shift = timedelta(days=1.5)
    story.called(Outcome.NO_ANSWER)
    story.seals()
    clock.shift = timedelta()
    story.registers()
    story.seals()
    leapt = verify_all()
    assert leapt.exit_code == 0, leapt.output
    assert "after entry 1 dates lie ahead" in leapt.output and "all in order" in leapt.output
    edit(engine, "ledger", "UPDATE ledger SET round_id = 9 WHERE id = 1")
    assert verify_all().exit_code == 1


def test_each_column_is_written_and_hashed() -> None:
    written = {*entries._COLUMNS, "digest"}
    assert written == set(LedgerEntry.__table__.columns.keys())
    entry = LedgerEntry(**dict.fromkeys(entries._COLUMNS, "x"))
    entry.at = noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for name in {*entries._COLUMNS} - {"step_id"}:  # the hashes in its details say whose it is (test_steps)
        other = LedgerEntry(**{each: getattr(entry, each) for each in entries._COLUMNS})
        setattr(other, name, noon + timedelta(seconds=1) if name == "at" else "y")
        assert entries.format_canonical(other) != entries.format_canonical(entry), name
