"""Program hotline137, also `python -m ops.hotline137`: the command line.

Callers wait for `run` after each fault of the machine, so it loads no libraries of other commands.
"""

import gc
import sys


def main() -> None:
    """Run the command.

    Imported modules stay, and searching them for garbage took a seventh of the time to the first action.
    """
    gc.disable()
    if sys.argv[1:] == ["run"]:
        from ops.run import start

        start()  # it becomes another program before there is garbage
        return
    from ops.cli import app

    gc.freeze()
    gc.enable()
    app(prog_name="hotline137")


if __name__ == "__main__":
    main()
