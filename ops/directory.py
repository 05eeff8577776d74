"""Commands for the office's directory: ask it now, believe it, hand an account over to it."""

from typing import Annotated

import typer

from db.engine import connect
from hotline import audit
from hotline.directory import look, members
from ops.terminal import fail, settings, transaction

app = typer.Typer(no_args_is_help=True, help="Staff from the office's directory.")


@app.command()
def check(
    believe: Annotated[bool, typer.Option(help="So many have really left at once.")] = False,
) -> None:
    """Ask the directory now who is still there, as the clerk does; the log says what is wrong."""
    in_force = settings()
    if not in_force.ldap_url:
        raise fail("HOTLINE_LDAP_URL is not set")
    if why := look.take(connect(in_force.database), in_force, believe=believe):
        raise fail(f"{why}: docs/operate/directory.md")
    typer.echo("it answers; whoever left it is out")


@app.command()
def adopt(username: str) -> None:
    """From now on this account is the directory's: it has no password here, and is whose name it is there."""
    with transaction() as session:
        members.adopt(session, username, who=audit.COMMAND_LINE)
