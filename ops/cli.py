"""Command line hotline137."""

import json
import os
import sysconfig
from pathlib import Path
from typing import Annotated

import typer

from db.engine import connect
from db.migrate import OtherVersion, upgrade
from db.models import BlockReason, Role
from hotline import audit, numbers
from hotline.desks import desk_phones, staffing
from hotline.line import blocked
from hotline.people import accounts as users
from hotline.people import staff
from hotline.requests import departments
from hotline.version import VERSION, read_build
from ops import (
    categories,
    citizens,
    city,
    directory,
    kamailio,
    keys,
    ledger,
    messages,
    nodes,
    pbx,
    pictures,
    prompts,
    rounds,
    timetable_commands,
)
from ops.apply import apply_settings
from ops.backup.commands import add_to as add_backup_commands
from ops.doctor.command import print_findings
from ops.first_visit import make_lines as first_visit_lines
from ops.first_visit import print_setup_code
from ops.people import add_to as add_people_commands
from ops.terminal import fail as _fail
from ops.terminal import handle_no_answer, open_transaction
from ops.terminal import load_settings as _settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
db_app = typer.Typer(no_args_is_help=True, help="The database.")
user_app = typer.Typer(no_args_is_help=True, help="People who sign in.")
number_app = typer.Typer(no_args_is_help=True, help="Blocked numbers.")
for name, group in (
    ("categories", categories.app),
    ("city", city.app),
    ("keys", keys.app),
    ("ledger", ledger.app),
    ("number", number_app),
    ("citizen", citizens.app),
    ("pictures", pictures.app),
    ("db", db_app),
    ("prompts", prompts.app),
    ("user", user_app),
    ("directory", directory.app),
    ("round", rounds.app),
    ("message", messages.app),
    ("node", nodes.app),
):
    app.add_typer(group, name=name)
app.command("pbx")(pbx.print_pbx)
app.command("kamailio")(kamailio.write_kamailio)
timetable_commands.add_to(app)
add_people_commands(user_app)
add_backup_commands(app, db_app)
app.command("doctor")(print_findings)
app.command("apply")(apply_settings)
app.command("setup-code")(print_setup_code)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(" ".join(("hotline137", VERSION, read_build())).strip())
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hotline 137: citizens speak with their mayor."""
    os.umask(0o077)  # the state folder holds citizens' numbers and voices


@app.command()
def run() -> None:
    """Set up and run everything: asterisk, ivr, dialer, scheduler, api."""
    from ops.run import start

    start()


@app.command()
def process(name: Annotated[str, typer.Argument(help="ivr, dialer, scheduler or api")]) -> None:
    """Run one process alone, as `run` and the containers do."""
    from ops.process import MODULES, OLD_NAMES
    from ops.process import run as run_process

    if name not in MODULES | OLD_NAMES:
        raise _fail(f"no process {name!r}: one of {', '.join(MODULES)}")
    run_process(name)


@app.command("audit")
def audit_log(who: str = "", action: str = "", subject: str = "", limit: int = 100) -> None:
    """Print the audit log, newest first, filtered by the given words."""
    with open_transaction(read_only=True) as session:
        for e in audit.search(session, who=who, action=action, subject=subject, limit=limit):
            typer.echo(f"{e.at:%Y-%m-%d %H:%M}Z  {e.who:<16} {e.action:<20} {e.subject:<18} {e.reason}")


@app.command()
def prepare() -> None:
    """Prepare prompts, database, sample data and Asterisk's configuration, without running anything."""
    from dialplan.render import render
    from ops.run import CannotRun
    from ops.run import prepare as prepare_all

    settings = _settings()
    try:
        made = prepare_all(settings)
    except (CannotRun, OtherVersion) as error:
        raise _fail(error) from None
    for account in made:
        typer.echo(f"{account.username:<10} {account.password}   {account.what}")
    for line in first_visit_lines(settings):
        typer.echo(line)
    # the folders of Debian's package: Asterisk itself may be in another container
    modules = Path("/usr/lib") / (sysconfig.get_config_var("MULTIARCH") or "") / "asterisk" / "modules"
    render(settings, modules=modules, data=Path("/usr/share/asterisk"))


@app.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    from api.app import create

    typer.echo(json.dumps(create(_settings()).openapi(), ensure_ascii=False, indent=1))


@app.command("desk-phone")
def desk_phone(
    desk: int,
    use: Annotated[str, typer.Option(help="sip or browser: the phone that the desk's page expects.")] = "",
    number: Annotated[
        str | None,
        typer.Option(help="A telephone to call instead (its person needs a PIN); '' for none."),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Renew the SIP phone's password and the number that it dials.")
    ] = False,
) -> None:
    """Print the account of a desk's SIP phone; --use and --number set which phone the desk has."""
    from dialplan import accounts
    from hotline.people import desk_admission

    settings = _settings()
    if not 1 <= desk <= settings.desks:
        raise _fail(f"desks are numbered 1 to {settings.desks} (HOTLINE_DESKS)")
    if use not in ("", "sip", "browser"):
        raise _fail("--use takes sip or browser")
    if use or number is not None:
        with open_transaction() as session:
            called = (
                numbers.parse_desk(number, settings.allowed_prefixes, settings.extensions) if number else None
            )
            kind = "number" if called else use or "browser"
            chosen = staffing.get(session, desk, settings.desks)
            desk_phones.choose(session, chosen, kind, called, who=audit.COMMAND_LINE)
    if number is not None:
        return
    with open_transaction() as session:
        place = staffing.get(session, desk, settings.desks)
        if renew:
            desk_admission.renew_sip_key(session, place, who=audit.COMMAND_LINE)
        password, key = desk_admission.find_sip_account(session, place, settings, who=audit.COMMAND_LINE)
    typer.echo(
        f"account  {accounts.get_desk_account(desk, sip=True)}\npassword {password}\n"
        f"server   {settings.sip} (UDP)"
    )
    typer.echo(f"dial     {accounts.DESK_EXTENSION}{key}")


@app.command("turn-secret")
def turn_secret() -> None:
    """Print the secret that the TURN server shares with us (coturn's static-auth-secret)."""
    from hotline.desks import relay

    typer.echo(relay.get_secret(_settings()))


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Upgrade the tables to this version."""
    try:
        with handle_no_answer():
            upgrade(connect(_settings().database))
    except OtherVersion as error:
        raise _fail(error) from None


@number_app.command("block")
def number_block(number: str, reason: BlockReason = BlockReason.NUISANCE) -> None:
    """Refuse registrations of a number; its callers hear why."""
    with open_transaction() as session:
        blocked.block(session, numbers.parse(number, _settings().allowed_prefixes), reason)


@number_app.command("unblock")
def number_unblock(number: str) -> None:
    """Let a number register again."""
    with open_transaction() as session:
        blocked.unblock(session, numbers.parse(number, _settings().allowed_prefixes))


@user_app.command("add")
def user_add(
    username: str,
    *,
    name: Annotated[str, typer.Option(prompt=True)],
    role: Role = Role.OPERATOR,
    desk: Annotated[int | None, typer.Option(help="The desk's number.")] = None,
    department: Annotated[
        str, typer.Option(help="The department's English name, for the role department.")
    ] = "",
    head: Annotated[bool, typer.Option(help="The person heads the department.")] = False,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Add a person."""
    with open_transaction() as session:
        staff.add(
            session,
            username=username,
            name=name,
            role=role,
            desk_id=desk,
            department_id=departments.get_by_name(session, department).id if department else None,
            heads_department=head,
            password=password,
            settings=_settings(),
        )


@user_app.command("pin")
def user_pin(
    username: str,
    pin: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Set the PIN (4 to 8 digits) that admits a person's telephone to their desk's room."""
    with open_transaction() as session:
        users.set_pin(session, username, numbers.convert_digits(pin))
        audit.record(session, audit.COMMAND_LINE, "pin-set", f"person {username}")


if __name__ == "__main__":
    app()
