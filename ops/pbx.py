"""Command hotline137 pbx: this system behind an existing PBX."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from dialplan import pbx as behind
from ops.terminal import fail, load_settings
from settings.addresses import Address
from settings.values import HostPort


def print_pbx(
    pbx: Annotated[str, typer.Option(help="SIP address of the PBX: host:port.")],
    here: Annotated[str, typer.Option(help="SIP address of this system, a different one: host:port.")],
    out: Annotated[Path | None, typer.Option(help="A folder to write the files to.")] = None,
) -> None:
    """Print what FreePBX, Issabel or a plain Asterisk needs to pass 137 on to this system."""
    at, ours = _address("--pbx", pbx), _address("--here", here)
    if at == ours:
        raise fail(f"--here and --pbx are both {at}: on one machine this system needs a port of its own")
    made = behind.render_files(load_settings(), pbx=at, here=ours)
    for name, text in made.items():
        if out is None:
            typer.echo(f"===== {name}\n{text}")
            continue
        if (out / name).exists():
            raise fail(f"{out / name} is there already: name an empty folder")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (out / name).write_text(text)
    for number, step in enumerate(behind.list_steps(pbx=at, here=ours), 1):
        typer.echo(f"{number}. {step}")


def _address(option: str, value: str) -> Address:
    try:
        address = TypeAdapter[Address](HostPort).validate_python(value)
    except ValidationError as error:
        raise fail(f"{option} {value!r}: {error.errors()[0]['msg']}") from None
    if address.host == "0.0.0.0":  # noqa: S104
        raise fail(f"{option}: 0.0.0.0 is no address that the other side can reach")
    return address
