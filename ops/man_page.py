"""The man page hotline137(1): `python -m ops.man_page` prints it, from the commands' own help."""

import sys

import typer
from typer.core import TyperGroup

from hotline.version import VERSION
from ops.cli import app

_HEAD = """\
.TH HOTLINE137 1 "" "hotline137 {version}" "Hotline 137"
.SH NAME
hotline137 \\- the telephone system with which a city speaks with its mayor
.SH SYNOPSIS
.B hotline137
.I COMMAND
[\\fIOPTION\\fR]...
.SH DESCRIPTION
Each command explains itself:
.B hotline137
.I COMMAND
.BR \\-\\-help .
As root a command becomes the user hotline137 by itself.
.SH COMMANDS
"""
_TAIL = """\
.SH FILES
.TP
.I /etc/hotline137/hotline.env
The settings. No upgrade changes them.
.TP
.I /usr/share/hotline137/hotline.env
This version's template of the settings.
.TP
.I /var/lib/hotline137
Database, voices, pictures, recordings and secrets.
.TP
.I /opt/hotline137/docs
The manual. Whoever is signed in reads it at /docs. In trouble begin with operate/night.md.
.SH EXIT STATUS
.B hotline137 doctor
exits with 0 if all is well, 1 with warnings and 2 with faults.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1)
"""


def render_page() -> str:
    """Return the man page in roff."""
    commands = typer.main.get_command(app)
    assert isinstance(commands, TyperGroup)  # noqa: S101
    lines = [f".TP\n.B {_escape(name)}\n{_escape(said)}\n" for name, said in _list_commands(commands)]
    return f"{_HEAD.format(version=VERSION)}{''.join(lines)}{_TAIL}"


def _list_commands(group: TyperGroup, before: str = "") -> list[tuple[str, str]]:
    listed = []
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            listed += _list_commands(command, f"{before}{name} ")
        else:
            said = " ".join(command.get_short_help_str(limit=1000).split())
            listed.append((f"{before}{name}", said))
    return listed


def _escape(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


if __name__ == "__main__":
    sys.stdout.write(render_page())
