"""Commands of the city's plans: offices, the timetable, holidays."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated

import jdatetime
import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Holiday, OfficialKind
from hotline import audit
from hotline.errors import Refused
from hotline.rounds import officials
from hotline.timetable import day_overrides, days, round_making, timetable_rules
from ops.terminal import open_transaction
from settings import CITY

official_app = typer.Typer(no_args_is_help=True, help="The offices that answer citizens.")
timetable_app = typer.Typer(no_args_is_help=True, help="Rules that create rounds by themselves.")
holiday_app = typer.Typer(
    no_args_is_help=True, help="Holidays of the city's own, and exceptions from the calendar."
)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for name, group in (("official", official_app), ("timetable", timetable_app), ("holiday", holiday_app)):
        app.add_typer(group, name=name)


def parse_day(text: str) -> date:
    """Parse a day, Jalali (1405-09-11) or Gregorian (2026-12-02), in any script's digits."""
    year, month, day = (int(part) for part in text.replace("/", "-").split("-"))
    found: date = jdatetime.date(year, month, day).togregorian() if year < 1900 else date(year, month, day)
    return found


def parse_hour(text: str) -> time:
    """Parse a time of day, 09:00."""
    return datetime.strptime(text, "%H:%M").time()


def parse_numbers(text: str) -> Sequence[int]:
    """Parse numbers and ranges: 4,7-9 is 4, 7, 8, 9."""
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        raise Refused("invalid-input", f"{text!r} is not numbers such as 4,7-9") from None
    return found


Day = Annotated[date, typer.Argument(parser=parse_day, metavar="DAY", help="1405-09-11 or 2026-12-02.")]
RuleId = Annotated[int, typer.Argument(metavar="ID", help="The rule's number.")]
Reason = Annotated[str, typer.Option(help="The reason, which citizens read.")]


def _shown(day: date) -> str:
    return f"{jdatetime.date.fromgregorian(date=day):%Y-%m-%d}  {day:%a %Y-%m-%d}"


def _check_clip(clip: str) -> None:
    from prompts import catalogue

    known = catalogue.list_office_clips()
    if clip not in known:
        raise Refused(
            "clip-unknown", f"no clip {clip!r} says an office's name; there are: {', '.join(known)}"
        )


@official_app.command("list")
def official_list() -> None:
    """Print the offices with their numbers for other commands."""
    with open_transaction(read_only=True) as session:
        for o in officials.list_all(session):
            typer.echo(f"{o.id:>4}  {o.kind:<16} {o.clip:<30} {o.office_en}  {o.office_fa}")


@official_app.command("add")
def official_add(
    kind: OfficialKind,
    office_fa: Annotated[str, typer.Option("--fa", help="The office's Persian name.")],
    office_en: Annotated[str, typer.Option("--en", help="The office's English name.")],
    clip: Annotated[str, typer.Option(help="The clip of the prompts that says the name.")],
    district: Annotated[int | None, typer.Option(help="The district of a district's manager.")] = None,
) -> None:
    """Add an office, and print its number."""
    with open_transaction() as session:
        _check_clip(clip)
        made = officials.add(
            session, kind=kind, office_fa=office_fa, office_en=office_en, clip=clip, district=district
        )
        typer.echo(made.id)


@official_app.command("change")
def official_change(
    official: Annotated[int, typer.Argument(help="The official's number.")],
    office_fa: Annotated[str | None, typer.Option("--fa")] = None,
    office_en: Annotated[str | None, typer.Option("--en")] = None,
    clip: str | None = None,
    district: int | None = None,
) -> None:
    """Change an office; omitted values stay."""
    given = {"office_fa": office_fa, "office_en": office_en, "clip": clip, "district": district}
    with open_transaction() as session:
        if clip is not None:
            _check_clip(clip)
        values = {name: value for name, value in given.items() if value is not None}
        officials.change(session, officials.get(session, official), who=audit.COMMAND_LINE, **values)


@timetable_app.command("list")
def timetable_list() -> None:
    """Print the rules."""
    with open_transaction(read_only=True) as session:
        for r in timetable_rules.list_all(session):
            state = "" if r.active else "  (stopped)"
            hours = f"{r.starts_at:%H:%M}-{r.ends_at:%H:%M}"
            typer.echo(f"{r.id:>4}  {r.rrule}  {hours}  {len(r.officials)} in turn  {r.name}{state}")


@timetable_app.command("add")
def timetable_add(
    name: str,
    rrule: Annotated[str, typer.Argument(help="Its days by RFC 5545, for example FREQ=WEEKLY;BYDAY=WE")],
    *,
    answering: Annotated[str, typer.Option("--officials", help="Their numbers in turn: 4-18 or 4,9,7.")],
    starts_at: Annotated[time, typer.Option("--from", parser=parse_hour, metavar="HH:MM")],
    ends_at: Annotated[time, typer.Option("--to", parser=parse_hour, metavar="HH:MM")],
    starts_on: Annotated[
        date | None,
        typer.Option(parser=parse_day, metavar="DAY", help="Its first day; today if not given."),
    ] = None,
    at_once: Annotated[int, typer.Option(help="Number of officials who answer on one day.")] = 1,
    announce_days: Annotated[int, typer.Option(help="Days from the notice to the round.")] = 7,
    registration_days: Annotated[
        int, typer.Option(help="Days from the opening of registration to the round.")
    ] = 1,
    capacity: Annotated[int | None, typer.Option(help="Limit of registrations of a round.")] = None,
    minutes: Annotated[int, typer.Option(help="Agreed minutes of one conversation.")] = 6,
) -> None:
    """Add a rule, and print its number. The scheduler creates its rounds within a minute."""
    with open_transaction() as session:
        rule = timetable_rules.add(
            session,
            name=name,
            rrule=rrule,
            starts_on=starts_on or days.find_local_day(now(session)),
            starts_at=starts_at,
            ends_at=ends_at,
            officials=[officials.get(session, number) for number in parse_numbers(answering)],
            at_once=at_once,
            announce_days=announce_days,
            registration_days=registration_days,
            capacity=capacity,
            minutes=minutes,
        )
        typer.echo(rule.id)


@timetable_app.command("show")
def timetable_show(rule_id: RuleId, weeks: Annotated[int, typer.Option(min=1, max=104)] = 4) -> None:
    """Print a rule's next days: who answers and when, as created and as planned."""
    with open_transaction(read_only=True) as session:
        today = days.find_local_day(now(session))
        rule = timetable_rules.get(session, rule_id)
        for o in round_making.list_occurrences(session, rule, today, today + timedelta(weeks=weeks)):
            typer.echo(f"{_shown(o.day)}  {_told(session, o)}")


def _told(session: Session, o: round_making.Occurrence) -> str:
    """Return a day's created or planned rounds, in one line."""
    if not o.rounds and o.holiday:
        return f"-  {o.holiday}"
    if not o.rounds and o.override and o.override.dropped:
        return f"-  {o.override.reason}"
    hours = "-".join(f"{at.astimezone(CITY):%H:%M}" for at in (o.starts_at, o.ends_at))
    offices = ", ".join(official.office_en for official in o.officials) or "nobody"
    made = " ".join(f"round {r.id}{' cancelled' if r.cancelled_at else ''}" for r in o.rounds)
    substitute = ""
    if o.override and o.override.substitute_id:
        substitute = f", by {officials.get(session, o.override.substitute_id).office_en}"
    note = f"  ({o.override.reason or o.holiday})" if o.override else ""
    return f"{hours}  {offices}{substitute}  {made}{note}".rstrip()


@timetable_app.command("except")
def timetable_except(
    rule_id: RuleId,
    day: Day,
    *,
    reason: Reason,
    drop: Annotated[bool, typer.Option("--drop", help="No round on that day.")] = False,
    starts_at: Annotated[time | None, typer.Option("--from", parser=parse_hour, metavar="HH:MM")] = None,
    ends_at: Annotated[time | None, typer.Option("--to", parser=parse_hour, metavar="HH:MM")] = None,
    substitute: Annotated[int | None, typer.Option(help="The official who speaks instead.")] = None,
    short_notice: Annotated[bool, typer.Option(help="Allow less than a day's notice.")] = False,
) -> None:
    """Override one day; an existing round is changed or cancelled."""
    with open_transaction() as session:
        day_overrides.override_day(
            session,
            timetable_rules.get(session, rule_id),
            day,
            who=audit.COMMAND_LINE,
            reason=reason,
            dropped=drop,
            starts_at=starts_at,
            ends_at=ends_at,
            substitute=officials.get(session, substitute) if substitute is not None else None,
            short_notice=short_notice,
        )


@timetable_app.command("stop")
def timetable_stop(rule_id: RuleId, reason: Annotated[str, typer.Option()] = "") -> None:
    """Stop a rule; its existing rounds stay."""
    with open_transaction() as session:
        timetable_rules.stop(
            session, timetable_rules.get(session, rule_id), who=audit.COMMAND_LINE, reason=reason
        )


@holiday_app.command("list")
def holiday_list(
    weeks: Annotated[int, typer.Option(min=1, max=104)] = 26,
) -> None:
    """Print the days on which the city does not answer, and its own decisions about others."""
    with open_transaction(read_only=True) as session:
        first = days.find_local_day(now(session))
        last = first + timedelta(weeks=weeks)
        own = {h.day: h for h in session.scalars(select(Holiday).where(Holiday.day.between(first, last)))}
        said = days.find_holidays(session, first, last) | {h.day: h.name for h in own.values()}
        for day, name in sorted(said.items()):
            word = ("works" if own[day].works else "city") if day in own else "calendar"
            typer.echo(f"{_shown(day)}  {word:<8}  {name}")


@holiday_app.command("add")
def holiday_add(
    day: Day,
    name: Annotated[str, typer.Argument(help="In Persian: citizens read it.")],
    works: Annotated[bool, typer.Option("--works", help="The city works although it is a holiday.")] = False,
) -> None:
    """Close a day, or open one (--works); the timetable's rounds on a closed day are cancelled."""
    with open_transaction() as session:
        for round_id in day_overrides.add_holiday(session, day, name, works=works, who=audit.COMMAND_LINE):
            typer.echo(f"round {round_id} is cancelled; who is registered passes to the next one")


@holiday_app.command("remove")
def holiday_remove(day: Day) -> None:
    """Remove the city's decision about a day; rounds that it cancelled stay so."""
    with open_transaction() as session:
        day_overrides.remove_holiday(session, day, who=audit.COMMAND_LINE)
