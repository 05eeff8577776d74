"""Commands hotline137 round."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import jdatetime
import typer
from sqlalchemy.orm import Session

from db.engine import now
from db.models import Official
from hotline import audit, numbers, tickets
from hotline.errors import Refused
from hotline.line import carry_over, order, registration
from hotline.reports import round_reports
from hotline.rounds import notices, officials, phases, planning
from ops.terminal import fail, load_settings, open_transaction
from settings import CITY

app = typer.Typer(
    no_args_is_help=True, help="Rounds. Times are the city's: 2026-12-02T09:00, or Jalali 1405-09-11T09:00."
)

_FIRST_GREGORIAN_YEAR = 1700
_DAY_HOURS = 24.0


def _time(text: str) -> datetime:
    """Parse a time of the city, in either calendar."""
    try:
        day, _, clock = text.replace(" ", "T").partition("T")
        year, month, date = (int(part) for part in day.split("-"))
        hour, minute = (int(part) for part in clock.split(":"))
        kind = jdatetime.datetime if year < _FIRST_GREGORIAN_YEAR else datetime
        at = kind(year, month, date, hour, minute)
        gregorian: datetime = at.togregorian() if isinstance(at, jdatetime.datetime) else at
    except ValueError as error:
        raise typer.BadParameter(f"write 2026-12-02T09:00 or 1405-09-11T09:00 ({error})") from None
    return gregorian.replace(tzinfo=CITY)


def _written(at: datetime) -> str:
    local = at.astimezone(CITY)
    jalali = jdatetime.date.fromgregorian(date=local.date())
    return f"{local:%Y-%m-%d %H:%M} ({jalali:%Y-%m-%d})"


Number = Annotated[int, typer.Argument(help="The round's number.", metavar="ROUND")]
Reason = Annotated[str, typer.Option(help="The reason, which citizens read.", prompt=True)]
Deputies = Annotated[
    list[int] | None,
    typer.Option("--deputy", help="The number of an official at the side; may be repeated."),
]
ShortNotice = Annotated[bool, typer.Option("--short-notice", help="Allow less than a day's notice.")]
Languages = Annotated[str, typer.Option(help="Languages spoken with citizens: fa,en.")]
Capacity = Annotated[int | None, typer.Option(help="Limit of registrations; none if not given.")]
Minutes = Annotated[int, typer.Option(help="Agreed minutes of one conversation.")]
Recorded = Annotated[bool, typer.Option("--recorded", help="Record the conversations; citizens are told.")]
Time = Annotated[datetime | None, typer.Option(parser=_time, metavar="TIME")]


@app.command("list")
def list_rounds(
    history: Annotated[bool, typer.Option("--all", help="Include those of the last year.")] = False,
) -> None:
    """Print the rounds that are not long over."""
    with open_transaction(read_only=True) as session:
        at = now(session)
        year = timedelta(days=365)
        for r in (
            phases.list_between(session, at - year, at + year) if history else phases.list_current(session)
        ):
            when = "always" if r.is_operators_line else _written(r.starts_at)
            typer.echo(f"{r.id:>4}  {phases.find_phase(r, at):<9} {when:<29}  {r.official.office_en}")


@app.command("line")
def show_line(round_id: Number, limit: int = 200) -> None:
    """Print the round's line in the order of calling, with the reasons; numbers are masked."""
    with open_transaction(read_only=True) as session:
        phases.get(session, round_id)
        for place, r in enumerate(order.list_page(session, round_id, limit, None), start=1):
            why = f"{order.find_reason(r)} {r.rounds_missed or ''} {r.moved_reason}".strip()
            typer.echo(f"{place:>5}  {r.ticket}  {numbers.mask(r.number):<14} {r.state:<8} {why}")


@app.command()
def notice(round_id: Number, language: Annotated[Literal["fa", "en"], typer.Option()] = "fa") -> None:
    """Print the round's notice: for the website, then for social networks."""
    with open_transaction(read_only=True) as session:
        told = notices.format_text(phases.get(session, round_id), language, load_settings().public)
        typer.echo(f"{told.title}\n\n{told.body}\n\n{told.short}")


@app.command()
def make(
    *,
    official: Annotated[int, typer.Argument(help="The official's number.")],
    start: Annotated[datetime, typer.Argument(parser=_time, metavar="START")],
    hours: float = 3.0,
    registration_hours: Annotated[
        float, typer.Option(help="Hours from the opening of registration to the start.")
    ] = _DAY_HOURS,
    registration_until: Time = None,
    announce: Time = None,
    deputies: Deputies = None,
    substitute: Annotated[
        int | None, typer.Option(help="The number of the official who speaks instead.")
    ] = None,
    capacity: Capacity = None,
    languages: Languages = "fa,en",
    minutes: Minutes = 6,
    recorded: Recorded = False,
    short_notice: ShortNotice = False,
) -> None:
    """Create a round, and print its number.

    By default registration ends with the round, and its notice is public now. --announce and
    --registration-until change that.
    """
    ends_at = start + timedelta(hours=hours)
    with open_transaction() as session:
        made = planning.make(
            session,
            official=_official(session, official),
            substitute=_official(session, substitute) if substitute else None,
            deputies=[_official(session, deputy) for deputy in deputies or ()],
            announce_at=announce,
            registration_from=start - timedelta(hours=registration_hours),
            registration_until=registration_until or ends_at,
            starts_at=start,
            ends_at=ends_at,
            capacity=capacity,
            languages=languages.split(","),
            minutes=minutes,
            recorded=recorded,
            short_notice=short_notice,
        )
        typer.echo(made.id)


def _official(session: Session, number: int) -> Official:
    try:
        return officials.get(session, number)
    except Refused:
        known = "\n".join(f"{o.id:>4}  {o.office_en}" for o in officials.list_all(session))
        raise fail(f"no official {number}; there are:\n{known}") from None


@app.command()
def change(
    *,
    round_id: Number,
    reason: Reason,
    start: Time = None,
    end: Time = None,
    registration_from: Time = None,
    registration_until: Time = None,
    announce: Time = None,
    deputies: Deputies = None,
    substitute: Annotated[
        int | None, typer.Option(help="The number of the official who speaks instead.")
    ] = None,
    capacity: Capacity = None,
    languages: Annotated[str | None, typer.Option(help="Languages spoken with citizens: fa,en.")] = None,
    minutes: Annotated[int | None, typer.Option(help="Agreed minutes of one conversation.")] = None,
    recorded: Annotated[
        bool | None, typer.Option("--recorded/--not-recorded", help="Record the conversations.")
    ] = None,
    short_notice: ShortNotice = False,
) -> None:
    """Change a round; after its begin only what is still to come. Omitted values stay."""
    with open_transaction() as session:
        given: dict[str, Any] = {
            "starts_at": start,
            "ends_at": end,
            "registration_from": registration_from,
            "registration_until": registration_until,
            "announce_at": announce,
            "deputies": [_official(session, deputy) for deputy in deputies or ()] or None,
            "substitute": _official(session, substitute) if substitute else None,
            "capacity": capacity,
            "languages": languages,
            "minutes": minutes,
            "recorded": recorded,
        }
        planning.change(
            session,
            phases.get(session, round_id),
            who=audit.COMMAND_LINE,
            reason=reason,
            short_notice=short_notice,
            **{name: value for name, value in given.items() if value is not None},
        )


@app.command()
def cancel(round_id: Number, reason: Reason) -> None:
    """Cancel the round; its registrations pass to the official's next one."""
    with open_transaction() as session:
        planning.cancel(session, phases.get(session, round_id), who=audit.COMMAND_LINE, reason=reason)


@app.command("open")
def begin(round_id: Number) -> None:
    """Record that callbacks begin."""
    with open_transaction() as session:
        planning.open_now(session, phases.get(session, round_id), who=audit.COMMAND_LINE)


@app.command()
def end(round_id: Number) -> None:
    """Record that the round has ended."""
    with open_transaction() as session:
        planning.end(session, phases.get(session, round_id), who=audit.COMMAND_LINE)


@app.command("take-back")
def take_back(round_id: Number, reason: Reason) -> None:
    """Undo a carry-over if the round is not over after all, for example after a wrong clock.

    A place that was called, moved or given up since stays where it is. Merged places of one number become two
    again. The kept one keeps the latest subject and message.
    """
    with open_transaction() as session:
        round_ = phases.get(session, round_id)
        done = carry_over.take_back(session, round_, who=audit.COMMAND_LINE, reason=reason)
    typer.echo(f"{done.back} are back in round {round_id}; {done.stay} stay where they are")


@app.command("move-up")
def move_up(ticket: str, reason: Reason) -> None:
    """Put a waiting citizen before all that nobody moved up."""
    with open_transaction() as session:
        found = registration.get_by_ticket(session, tickets.parse(ticket))
        order.move_up(session, found, who=audit.COMMAND_LINE, reason=reason)


@app.command()
def report(round_id: Number) -> None:
    """Print the round's results, also while it runs."""
    with open_transaction(read_only=True) as session:
        round_ = phases.get(session, round_id)
        phase = phases.find_phase(round_, now(session))
        told = round_reports.build_report(session, round_id)
    typer.echo(f"Round {round_id}: {round_.official.office_en}, {_written(round_.starts_at)}, {phase}\n")
    for name, value in _lines(told):
        typer.echo(f"{name:<42}{value:>10}")


def _lines(r: round_reports.RoundReport) -> list[tuple[str, str]]:
    return [
        ("registered", str(r.registered)),
        ("carried in", str(r.carried_in)),
        ("reached", str(r.reached)),
        ("not reached", str(sum(r.not_reached.values()))),
        *((f"  {reason.replace('_', ' ')}", str(count)) for reason, count in r.not_reached.items()),
        ("carried out", str(r.carried_out)),
        ("calls", str(r.calls)),
        ("conversations", str(r.conversations)),
        ("registration to conversation, median", _duration(r.median_seconds)),
        ("registration to conversation, 90th centile", _duration(r.p90_seconds)),
        ("calls per hour", _number(r.calls_per_hour)),
        ("conversations per hour", _number(r.conversations_per_hour)),
        ("official's idle share", "-" if r.idle_share is None else f"{r.idle_share:.0%}"),
        ("mean sound quality (MOS)", _number(r.mos)),
        ("conversations with bad sound", "-" if r.bad_share is None else f"{r.bad_share:.0%}"),
    ]


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
