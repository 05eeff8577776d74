"""Commands hotline137 keys: API keys of programs."""

from typing import Annotated

import typer

from hotline import audit
from hotline.people import api_keys
from hotline.people.api_keys import Scope
from ops.terminal import open_transaction

app = typer.Typer(no_args_is_help=True, help="Keys of programs that use the API (docs/open311.md).")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The program's name.")],
    scope: Annotated[list[Scope], typer.Option(help="A permission; may be repeated.")],
    per_minute: Annotated[int, typer.Option(help="Limit of requests a minute.")] = 60,
) -> None:
    """Issue a key, and print it this once."""
    with open_transaction() as session:
        _, secret = api_keys.issue(
            session, name=name, may=scope, per_minute=per_minute, who=audit.COMMAND_LINE
        )
    typer.echo(secret)


@app.command("list")
def list_keys() -> None:
    """Print all keys by their prefixes."""
    with open_transaction(read_only=True) as session:
        for key in api_keys.list_all(session):
            may = ",".join(api_keys.list_scopes(key))
            used = f"used {key.used_minute:%Y-%m-%d %H:%M}Z" if key.used_minute else "never used"
            state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}Z" if key.revoked_at else used
            typer.echo(f"{key.prefix}  {may:<11} {key.per_minute:>4}/min  {state:<25}  {key.name}")


@app.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The key's first eight characters, after h137_.")],
) -> None:
    """Refuse a key from now on."""
    with open_transaction() as session:
        api_keys.revoke(session, prefix, who=audit.COMMAND_LINE)
