"""Commands hotline137 message: sent and unsent messages to citizens, and why."""

from typing import Annotated

import typer

from db.models import Delivery
from hotline import audit
from hotline.citizens import vapid
from hotline.messages import sent_messages
from ops import terminal

app = typer.Typer(no_args_is_help=True, help="Messages to citizens, and notices to the webhook.")


@app.command("list")
def list_(
    state: Annotated[Delivery | None, typer.Option(help="Only those in this state.")] = None,
    limit: int = 100,
) -> None:
    """Print the newest messages; numbers are masked."""
    with terminal.open_transaction(read_only=True) as session:
        for message in sent_messages.list_page(session, state=state, limit=limit):
            typer.echo(
                f"{message.id:>8}  {message.state:<8} {message.kind:<16} "
                f"{sent_messages.mask_recipient(message):<16} "
                f"{message.made_at:%Y-%m-%d %H:%M}Z  {message.attempts:>2} {message.error}".rstrip()
            )


@app.command()
def retry(message: Annotated[int, typer.Argument(help="The message's number.", metavar="ID")]) -> None:
    """Send a message again that failed or expired."""
    with terminal.open_transaction() as session:
        sent_messages.retry(session, message, audit.COMMAND_LINE)
    typer.echo(f"message {message} is due again: `hotline137 message list` says what becomes of it, and why")


@app.command("push-key")
def push_key() -> None:
    """Print a new key for `push.key` in messages.toml.

    After a change of the key citizens must switch their notices on again.
    """
    typer.echo(vapid.make_key())
