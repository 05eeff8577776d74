"""Commands hotline137 backup, backup-signer, restore, db copy."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from db import copying
from db.engine import connect
from db.migrate import OtherVersion
from hotline.ledger.verify import verify
from ops import terminal
from ops.backup import restore as restoring
from ops.backup import signing, take
from ops.backup.archive import Unusable

_POLITE = 10


def make_backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Existing folder for the file.")],
    to: Annotated[
        str | None,
        typer.Option(help="age1…: the public key of the only reader. HOTLINE_BACKUP_RECIPIENT if not given."),
    ] = None,
    unless_since: Annotated[
        datetime | None,
        typer.Option(hidden=True, formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]),
    ] = None,
    keep: Annotated[
        int, typer.Option(min=0, help="Delete backups in DIR older than so many days; 0: none.")
    ] = 0,
) -> None:
    """Make one file of everything that has to be kept, while calls go on."""
    settings = terminal.load_settings()
    os.nice(_POLITE)  # calls come first
    key = settings.backup_recipient if to is None else to
    try:
        made = take.take(settings, folder.absolute(), key, keep_days=keep, unless_since=unless_since)
    except Unusable as error:
        raise terminal.fail(f"no backup was made: {error}") from None
    if made is None:
        return
    for note in made.notes:
        typer.secho(note, fg="yellow", err=True)
    if not key:
        typer.secho(
            "it is not encrypted: it contains every citizen's number and voice", fg="yellow", err=True
        )
    typer.echo(
        f"{made.path}: {made.size / 1e6:.1f} MB, {made.files} files, {made.rows} rows, {made.seconds:.1f} s"
    )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `hotline137 backup`.")],
    key: Annotated[
        Path | None, typer.Option(help="The file with age's secret key, if it is encrypted.")
    ] = None,
    over: Annotated[bool, typer.Option(help="Move the present installation aside.")] = False,
    signer: Annotated[
        str,
        typer.Option(
            help="What `hotline137 backup-signer` printed for FILE; this machine's own if not given."
        ),
    ] = "",
    unproven: Annotated[
        bool, typer.Option(help="Restore although nothing proves which installation made FILE.")
    ] = False,
) -> None:
    """Put a backup in the place of this installation, which is empty and does not run."""
    settings = terminal.load_settings()
    try:
        done = restoring.restore(
            settings, file, key.read_text() if key else "", over=over, signer=signer, unproven=unproven
        )
    except (Unusable, OSError, UnicodeDecodeError) as error:
        raise terminal.fail(f"nothing was restored: {error}") from None
    typer.echo(f"restored as of {done.head['at']}: {done.files} files, {done.rows} rows")
    if done.unproven:
        typer.secho(f"NOT PROVEN which installation made it: {done.unproven}", fg="red", err=True)
    else:
        typer.echo("signed by the installation that you trust, and unchanged since")
    if signer or done.unproven:
        typer.echo("`hotline137 backup-signer` prints this machine's own signer: write it down, too")
    typer.echo(f"its settings lie in {settings.state_dir / restoring.SETTINGS}; those in force are unchanged")
    for aside in done.aside:
        typer.echo(f"what was here lies in {aside}; delete it when nobody needs it")
    proof = restoring.prove(settings)
    for problem in proof.problems:
        typer.secho(problem, fg="red", err=True)
    if proof.missing:
        typer.secho(
            f"{proof.missing} recordings were deleted while the backup was made", fg="yellow", err=True
        )
    verdict = f"NOT IN ORDER, {len(proof.problems)} problems" if proof.problems else "all in order"
    typer.echo(f"ledger: {proof.entries} entries; recordings: {proof.recordings}: {verdict}")
    if proof.problems:
        raise typer.Exit(1)


def show_backup_signer() -> None:
    """Print the public key that proves this machine's backups; keep it where the backup's key is kept."""
    try:
        typer.echo(signing.get_signer(signing.read_key(terminal.load_settings())))
    except (Unusable, OSError) as error:
        raise terminal.fail(error) from None


def copy_database(
    source: Annotated[str, typer.Argument(metavar="FROM", help="sqlite:///… or postgresql+psycopg://…")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same; an empty database.")],
) -> None:
    """Copy everything from one database into another, empty one, while nothing runs."""
    for url in (source, target):
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise terminal.fail("a database is sqlite:///… or postgresql+psycopg://…")
    there = Path(source.removeprefix("sqlite:///").partition("?")[0])
    if source.startswith("sqlite:///") and not there.is_file():  # SQLite would create the file
        raise terminal.fail(f"there is no file {there}")
    with terminal.handle_no_answer():
        _copy(source, target)


def _copy(source: str, target: str) -> None:
    from_, into = connect(source), connect(target)
    try:
        restoring.check_at_rest(from_)
        rows = copying.copy_rows(
            from_, into, lambda table, count: typer.echo(f"{count:9} {table}") if count else None
        )
        report = verify(into)
    except (copying.NotCopied, OtherVersion, Unusable) as error:
        raise terminal.fail(f"nothing was copied: {error}") from None
    for problem in report.problems:
        typer.secho(problem, fg="red", err=True)
    verdict = "NOT IN ORDER" if report.problems else "all in order"
    typer.echo(f"{rows:9} rows; ledger: {report.entries} entries: {verdict}")
    if report.problems:
        raise typer.Exit(1)


def add_to(app: typer.Typer, db_app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("backup")(make_backup)
    app.command("backup-signer")(show_backup_signer)
    app.command("restore")(restore)
    db_app.command("copy")(copy_database)
