"""Command hotline137 kamailio: the SIP proxy in front of several nodes."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dialplan import kamailio as proxy
from ops.terminal import fail, load_settings

_FOLDER = Path("/etc/kamailio")


def write_kamailio(
    folder: Annotated[Path, typer.Argument(help="Folder of the files, such as /etc/kamailio.")] = _FOLDER,
    lies: Annotated[
        Path | None, typer.Option("--lies", help="Folder of the files on the proxy, if different.")
    ] = None,
    run: Annotated[Path, typer.Option(help="Folder of the running Kamailio's socket.")] = Path(
        "/run/kamailio"
    ),
) -> None:
    """Write the configuration of the SIP proxy, Kamailio, for HOTLINE_SIP_PROXY and HOTLINE_SIP_NODES."""
    try:
        made = proxy.render_files(load_settings(), (lies or folder).absolute(), run=run)
    except proxy.NoProxy as error:
        raise fail(error) from None
    for name, text in made.items():
        path = folder / name
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            path.parent.chmod(0o750)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        # The files hold secrets, and must not be readable by others even for a moment.
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o640)
            file.write(text)
        fresh.replace(path)
        typer.echo(path)
    typer.echo(f"Then: chgrp -R kamailio {folder}; kamailio -c -f {folder / 'kamailio.cfg'}")
