"""Commands hotline137 directory: poll the office's directory, accept many leavers, hand an account over."""

from typing import Annotated

import typer

from db.engine import connect
from hotline import audit
from hotline.directory import members, oidc, sync
from ops.terminal import fail, load_settings, open_transaction

app = typer.Typer(no_args_is_help=True, help="Staff from the office's directory.")


@app.command()
def check(
    believe: Annotated[bool, typer.Option(help="Accept that so many people have left at once.")] = False,
) -> None:
    """Ask the directory now who is still there, as the scheduler does; the log names faults."""
    in_force = load_settings()
    looks = [
        take for take, is_set in ((sync.take, in_force.ldap_url), (oidc.take, in_force.oidc_issuer)) if is_set
    ]
    if not looks:
        raise fail("neither ldap.url nor oidc.issuer is set (HOTLINE_DIRECTORY)")
    engine = connect(in_force.database)
    if wrong := ", ".join(filter(None, [take(engine, in_force, believe=believe) for take in looks])):
        raise fail(f"{wrong}: docs/operate/directory.md")
    typer.echo("it answers; whoever left it is out")


@app.command()
def adopt(username: str) -> None:
    """Hand this account over to the directory: its password here ends, and its name there identifies it."""
    with open_transaction() as session:
        members.adopt(session, username, who=audit.COMMAND_LINE)
