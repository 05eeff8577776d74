"""`hotline137 kamailio`: the SIP proxy before several nodes."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dialplan import kamailio as proxy
from ops.terminal import fail, settings

_FOLDER = Path("/etc/kamailio")


def kamailio(
    folder: Annotated[Path, typer.Argument(help="Where the files go, such as /etc/kamailio.")] = _FOLDER,
    lies: Annotated[
        Path | None, typer.Option("--lies", help="Where they will lie on the proxy, if elsewhere.")
    ] = None,
    run: Annotated[Path, typer.Option(help="Where the running Kamailio keeps its socket.")] = Path(
        "/run/kamailio"
    ),
) -> None:
    """Write the configuration of the SIP proxy, Kamailio, for HOTLINE_SIP_PROXY and HOTLINE_SIP_NODES."""
    try:
        made = proxy.files(settings(), (lies or folder).absolute(), run=run)
    except proxy.NoProxy as error:
        raise fail(error) from None
    for name, text in made.items():
        path = folder / name
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            path.parent.chmod(0o750)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        # They hold secrets: never readable by others, not for a moment.
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o640)
            file.write(text)
        fresh.replace(path)
        typer.echo(path)
    typer.echo(f"Then: chgrp -R kamailio {folder}; kamailio -c -f {folder / 'kamailio.cfg'}")
