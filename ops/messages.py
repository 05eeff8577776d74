"""hotline137 message …: what went out to citizens, what did not, and why."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from db.engine import connect, reading, writing
from db.models import Delivery, Message, MessageKind
from hotline import audit, numbers, outbox
from hotline.errors import Refused
from settings import load

app = typer.Typer(no_args_is_help=True, help="Messages to citizens, and notices to the webhook.")


@app.command("list")
def list_(
    state: Annotated[Delivery | None, typer.Option(help="Only those in this state.")] = None,
    limit: int = 100,
) -> None:
    """The newest messages; numbers are masked."""
    with reading(connect(load().database)) as session:
        for message in outbox.page(session, state, limit):
            typer.echo(
                f"{message.id:>8}  {message.state:<8} {message.kind:<16} {_to(message):<16} "
                f"{message.made_at:%Y-%m-%d %H:%M}Z  {message.attempts:>2} {message.error}".rstrip()
            )


@app.command()
def retry(message: Annotated[int, typer.Argument(help="The message's number.", metavar="ID")]) -> None:
    """Send one after all that failed or expired."""
    try:
        with writing(connect(load().database)) as session:
            outbox.retry(session, message, audit.COMMAND_LINE)
    except Refused as refused:
        typer.secho(str(refused), fg="red", err=True)
        raise typer.Exit(1) from None


def _to(message: Message) -> str:
    if message.kind is MessageKind.NOTICE:
        return urlsplit(message.to).hostname or ""  # the rest may be a secret
    return numbers.masked(message.to)
