"""The program hotline137, and `python -m ops.hotline137`: the command line.

Callers wait for `run`, after each fault of the machine: it goes without the libraries of all other commands.
"""

import gc
import sys


def main() -> None:
    """Do what the command line says.

    What is imported stays: to look through it for garbage was a seventh of the time until something is done.
    """
    gc.disable()
    if sys.argv[1:] == ["run"]:
        from ops.run import start

        start()  # which becomes another program before there is garbage
        return
    from ops.cli import app

    gc.freeze()
    gc.enable()
    app(prog_name="hotline137")


if __name__ == "__main__":
    main()
