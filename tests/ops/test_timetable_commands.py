"""The command line's offices, timetable and holidays, from the city's first rule to a changed day."""

from collections.abc import Callable
from datetime import date, time

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from db.engine import reading, writing
from db.models import Holiday, Round
from hotline.rounds import planning
from hotline.timetable import day_overrides, days, round_making
from ops import timetable_commands
from ops.cli import app
from scheduler.jobs import make_rounds
from settings import Settings
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.shifted_clock import replace_now

NOW = days.find_moment(date(2027, 5, 3), time(12))
HOURS = ["--from", "09:00", "--to", "12:00"]

Command = Callable[..., str]


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `hotline137` on this test's database in May 2027; what it printed, or why it exited with 1."""
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", settings.database)
    replace_now(monkeypatch, lambda: NOW, timetable_commands, round_making, planning, day_overrides)

    def run(*words: str, fails: int = 0) -> str:
        result = CliRunner().invoke(app, words)
        assert result.exit_code == fails, result.output
        return result.output

    return run


@pytest.fixture
def timetabled(command: Command, engine: Engine, settings: Settings) -> Command:
    """Two districts answer on Wednesdays in turn; their rounds are made."""
    for district in "12":
        words = ["--fa", "مدیر", "--en", f"District {district}", "--clip", f"office-district-{district}"]
        added = command("official", "add", "district_manager", *words, "--district", district)
        assert added == f"{district}\n"
    added = command("timetable", "add", "چهارشنبه‌ها", "FREQ=WEEKLY;BYDAY=WE", "--officials", "2,1", *HOURS)
    assert added == "1\n"
    make_rounds(engine, settings)
    return command


def test_each_office_is_listed_on_one_line(timetabled: Command) -> None:
    timetabled("official", "change", "2", "--en", "The Second", "--clip", "office-district-2")
    first, second = timetabled("official", "list").splitlines()
    assert first.split() == ["1", "district_manager", "office-district-1", "District", "1", "مدیر"]
    assert "The Second" in second


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("clip-unknown", ["official", "change", "1", "--clip", "yes"]),
        ("district-taken", ["official", "change", "1", "--district", "2"]),
        ("not-found", ["official", "change", "9", "--en", "Nobody"]),
        ("not-found", ["timetable", "show", "9"]),
        ("not-an-occurrence", ["timetable", "except", "1", "2027-05-06", "--reason", "جلسه"]),
        ("not-found", ["holiday", "remove", "2027-05-06"]),
        ("rule-days", ["timetable", "add", "x", "x", "--officials", "1", "--from", "9:00", "--to", "10:00"]),
        (
            "invalid-input",
            ["timetable", "add", "x", "x", "--officials", "?", "--from", "9:00", "--to", "10:00"],
        ),
    ],
)
def test_refusal_prints_its_code_and_exits_with_1(timetabled: Command, code: str, words: list[str]) -> None:
    assert timetabled(*words, fails=1).startswith(f"{code}: ")


@pytest.mark.parametrize("day", ["someday", "1406-13-01", "2027-02-29"])
def test_invalid_day_prints_the_usage(timetabled: Command, day: str) -> None:
    assert "DAY" in timetabled("holiday", "add", day, "تعطیل", fails=2)


def test_changed_days_of_a_rule_appear_in_the_timetable(timetabled: Command, engine: Engine) -> None:
    assert "2 in turn  چهارشنبه‌ها" in timetabled("timetable", "list")
    before = timetabled("timetable", "show", "1", "--weeks", "6").splitlines()
    assert [line.split("  ")[:3] for line in before[:1]] == [["1406-02-15", "Wed 2027-05-05", "09:00-12:00"]]
    assert ["District 2" in line for line in before] == [True, False] * 3
    timetabled("timetable", "except", "1", "۱۴۰۶/۲/۱۵", "--reason", "جلسه", "--drop")
    timetabled(
        "timetable", "except", "1", "2027-05-12", "--reason", "سفر", "--from", "10:00", "--substitute", "2"
    )
    assert "cancelled" in timetabled("holiday", "add", "1406-02-29", "آلودگی هوا")
    after = [line.split("  ", 2)[2] for line in timetabled("timetable", "show", "1").splitlines()]
    assert after == [
        "09:00-12:00  District 2  round 1 cancelled  (جلسه)",
        "10:00-12:00  District 1, by District 2  round 2  (سفر)",
        "09:00-12:00  District 2  round 3 cancelled",
        "09:00-12:00  District 1  round 4",
    ]
    with reading(engine) as session:
        cancelled = session.scalars(
            select(Round.reason).where(Round.cancelled_at.is_not(None)).order_by(Round.id)
        )
        assert cancelled.all() == ["جلسه", "آلودگی هوا"]
    timetabled("timetable", "stop", "1")
    assert "(stopped)" in timetabled("timetable", "list")


def test_holiday_shows_the_citys_word_beside_the_calendar(timetabled: Command, engine: Engine) -> None:
    timetabled("holiday", "add", "1406-03-14", "کار", "--works")
    timetabled("holiday", "add", "2027-06-09", "آلودگی هوا")
    lines = timetabled("holiday", "list", "--weeks", "7").splitlines()
    said = {line.split("  ")[0]: line.split("  ", 2)[2] for line in lines}
    assert said["1406-03-14"] == "works     کار"
    assert said["1406-03-15"].startswith("calendar  ")
    assert said["1406-03-19"] == "city      آلودگی هوا"
    assert list(said) == sorted(said)
    timetabled("holiday", "remove", "1406-03-19")
    with writing(engine) as session:
        assert session.scalars(select(Holiday.day)).all() == [date(2027, 6, 4)]
