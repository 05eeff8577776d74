"""The program hotline137, and `python -m ops.hotline137`: the command line.

Callers wait for `run`, after each fault of the machine: it goes without the libraries of all other commands.
"""

import sys


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:] == ["run"]:
        from ops.run import start

        start()
        return
    from ops.cli import app

    app(prog_name="hotline137")


if __name__ == "__main__":
    main()
