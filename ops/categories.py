"""Commands hotline137 categories: the categories of requests as a file."""

from pathlib import Path
from typing import Annotated

import typer

from hotline import audit
from hotline.requests import category_files
from ops.terminal import fail, open_transaction

app = typer.Typer(no_args_is_help=True, help="The categories of requests, as a TOML file.")
_MOST = 1_000_000


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The file to write; an existing one is replaced.")],
) -> None:
    """Write all categories into a file, to be edited and imported."""
    with open_transaction(read_only=True) as session:
        text = category_files.export(session)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise fail(error) from None


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="TOML, as export writes it.")]) -> None:
    """Add and change the categories that a file has; one with a mistake changes nothing."""
    try:
        with file.open("rb") as opened:
            written = opened.read(_MOST + 1)
        if len(written) > _MOST:
            raise fail("this is too large for a file of categories")
        text = written.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(error) from None
    with open_transaction() as session:
        taken = category_files.take(session, text, who=audit.COMMAND_LINE)
    typer.echo(f"{taken.added} added, {taken.changed} changed, {taken.same} as they were")
