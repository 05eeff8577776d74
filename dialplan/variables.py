"""The one list of names that the dialplan and the Python processes share."""

from enum import StrEnum


class Variable(StrEnum):
    """Channel variables. Inherited ones would carry a leading underscore; none is."""

    FINISHED = "HOTLINE_FINISHED"
    """`1` once a call script came to its own ending; otherwise the dialplan apologises."""
    LANGUAGE = "HOTLINE_LANGUAGE"
    """The folder of prompts that the dialplan's own announcements come from."""
    CONFIRMED = "HOTLINE_CONFIRMED"
    """In a callback: `yes` after the citizen pressed 1, `no` when the script gave up asking."""


class Context(StrEnum):
    """Contexts of extensions.conf. Calls from outside come in by the first three only."""

    FROM_TRUNK = "from-trunk"
    FROM_PHONE = "from-browser-phone"
    FROM_DESK = "from-desk"
    HOTLINE = "hotline"
    CALLBACK = "callback"
    CONFIRM = "confirm"
    DIAL = "dial"
    ROOM = "room"


class Script(StrEnum):
    """Call scripts by the path Asterisk asks for: agi://…/<name>."""

    MENU = "menu"
    CALLBACK = "callback"
    CONFIRM = "confirm"


STAGE_EVENT = "HotlineStage"
"""The user event by which a callback's channel tells the dialer where it is (header Stage)."""


class Stage(StrEnum):
    """Values of the Stage header."""

    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not-confirmed"
    FAILED = "failed"


LINES_FULL = "lines-full-now"
"""The prompt for callers beyond the lines there are; written anew as rounds open and close."""
