"""hotline137 message …: what went out to citizens, what did not, and why."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from db.models import Delivery, Message, MessageKind
from hotline import audit, numbers, outbox
from ops import terminal

app = typer.Typer(no_args_is_help=True, help="Messages to citizens, and notices to the webhook.")


@app.command("list")
def list_(
    state: Annotated[Delivery | None, typer.Option(help="Only those in this state.")] = None,
    limit: int = 100,
) -> None:
    """The newest messages; numbers are masked."""
    with terminal.transaction(read_only=True) as session:
        for message in outbox.page(session, state, limit):
            typer.echo(
                f"{message.id:>8}  {message.state:<8} {message.kind:<16} {_to(message):<16} "
                f"{message.made_at:%Y-%m-%d %H:%M}Z  {message.attempts:>2} {message.error}".rstrip()
            )


@app.command()
def retry(message: Annotated[int, typer.Argument(help="The message's number.", metavar="ID")]) -> None:
    """Send one after all that failed or expired."""
    with terminal.transaction() as session:
        outbox.retry(session, message, audit.COMMAND_LINE)


def _to(message: Message) -> str:
    if message.kind is MessageKind.NOTICE:
        return urlsplit(message.to).hostname or ""  # the rest may be a secret
    return numbers.masked(message.to)
