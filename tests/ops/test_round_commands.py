"""hotline137 round …: planned, moved up and reported from a shell."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import jdatetime
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from db.engine import now, reading, writing
from db.models import AuditEntry, Official, Registration, Round
from db.states import Phase
from hotline.line import order
from hotline.rounds import phases
from ops.cli import app
from settings import Settings
from tests.factories import HOUR, a_round, an_official, some_registrations

TEHRAN = ZoneInfo("Asia/Tehran")


@pytest.fixture
def official(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> Official:
    """The installation that the commands find has one official."""
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.chdir(str(tmp_path))  # where no hotline.env is
    with writing(engine) as session:
        return an_official(session)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["round", *(str(word) for word in words)])


def done(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def found(engine: Engine, round_id: int) -> Round:
    with reading(engine) as session:
        round_ = phases.get(session, round_id)
        assert round_.deputies is not None  # loaded while it can be
        return round_


def noon(engine: Engine, days: int) -> tuple[str, str]:
    """Noon in Isfahan in so many days, in both calendars."""
    with reading(engine) as session:
        day = now(session).astimezone(TEHRAN).date() + timedelta(days=days)
    return f"{day}T12:00", f"{jdatetime.date.fromgregorian(date=day):%Y-%m-%d} 12:00"


@pytest.mark.parametrize("calendar", [0, 1])
def test_round_is_made_on_that_day_in_either_calendar(
    engine: Engine, official: Official, calendar: int
) -> None:
    start, notice = noon(engine, 9), noon(engine, 3)
    made = done(
        *("make", official.id, start[calendar], "--hours", 2, "--capacity", 40, "--minutes", 5),
        *("--announce", notice[calendar], "--languages", "fa", "--recorded"),
    )
    round_ = found(engine, int(made))
    local = round_.starts_at.astimezone(TEHRAN)
    assert f"{local:%Y-%m-%dT%H:%M}" == start[0]
    assert round_.ends_at - round_.starts_at == round_.registration_until - round_.starts_at == 2 * HOUR
    assert (round_.capacity, round_.minutes, round_.languages, round_.recorded) == (40, 5, "fa", True)
    done("change", made, "--not-recorded", "--reason", "x")
    assert not found(engine, int(made)).recorded
    assert "planned" in done("list") and notice[1][:10] not in done("list") and start[1][:10] in done("list")


def test_wrong_round_is_refused_with_the_reason(engine: Engine, official: Official) -> None:
    tomorrow = noon(engine, 0)[0]
    assert "round-times" in run("make", official.id, tomorrow, "--hours", -1).stderr
    with writing(engine) as session:
        soon = f"{(now(session) + HOUR).astimezone(TEHRAN):%Y-%m-%dT%H:%M}"
    refused = run("make", official.id, soon)
    assert refused.exit_code == 1 and "notice-too-short" in refused.stderr
    assert "no official 404" in run("make", 404, soon).stderr
    assert run("make", official.id, "1405-13-01T09:00").exit_code == 2
    assert int(done("make", official.id, soon, "--short-notice"))


def test_reason_of_a_changed_or_cancelled_round_is_public(engine: Engine, official: Official) -> None:
    with writing(engine) as session:
        other = an_official(session)
    round_id = int(done("make", official.id, noon(engine, 5)[0]))
    done("change", round_id, "--reason", "مراسم", "--start", noon(engine, 4)[0], "--deputy", other.id)
    changed = found(engine, round_id)
    assert f"{changed.starts_at.astimezone(TEHRAN):%Y-%m-%dT%H:%M}" == noon(engine, 4)[0]
    assert (changed.reason, [d.id for d in changed.deputies]) == ("مراسم", [other.id])
    assert "reason-missing" in run("cancel", round_id, "--reason", " ").stderr
    done("cancel", round_id, "--reason", "سفر")
    assert found(engine, round_id).reason == "سفر"
    assert "cancelled" in done("list")
    assert "wrong-state" in run("end", round_id).stderr
    with reading(engine) as session:
        actions = [(e.action, e.who) for e in session.query(AuditEntry).order_by(AuditEntry.id)]
    expected = ["round-made", "round-changed", "round-cancelled"]
    assert actions == [(action, "command line") for action in expected]


def test_live_round_advances_its_ticket_and_counts_in_report(engine: Engine, official: Official) -> None:
    with writing(engine) as session:
        live = a_round(session, Phase.LIVE, opened=False)
        waiting = some_registrations(session, live, 3)
    done("open", live.id)
    spoken = " ".join(str(int(digit)) for digit in waiting[2].ticket).translate(
        {48 + n: 0x6F0 + n for n in range(10)}
    )
    done("move-up", spoken, "--reason", "بیماری")
    with reading(engine) as session:
        (first, *_) = order.list_page(session, live.id, 3, None)
        assert (first.id, first.moved_reason) == (waiting[2].id, "بیماری")
        assert session.query(Registration).count() == 3
    done("end", live.id)
    report = done("report", live.id)
    assert "Mayor" in report and "over" in report
    assert re.search(r"^registered +3$", report, re.M) and re.search(r"^  never called +3$", report, re.M)
    assert re.search(r"idle share +-$", report, re.M)
    assert run("report", 404).exit_code == 1


def test_round_is_shown_in_its_line_notice_and_audit_log(engine: Engine, official: Official) -> None:
    round_id = int(done("make", official.id, noon(engine, 3)[0]))
    with writing(engine) as session:
        first, carried = some_registrations(session, phases.get(session, round_id), 2)
        carried.rounds_missed = 2

    lines = done("line", round_id).splitlines()
    assert [line.split()[1] for line in lines] == [carried.ticket, first.ticket]
    assert "carried 2" in lines[0] and first.number[-7:] not in lines[1]
    assert "137" in done("notice", round_id) and "Mayor" in done("notice", round_id, "--language", "en")
    log = CliRunner().invoke(app, ["audit", "--action", "round-made"])
    assert f"round {round_id}" in log.stdout and "command line" in log.stdout
