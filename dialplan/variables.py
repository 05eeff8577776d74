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
    """Contexts of extensions.conf. Calls from outside can reach the first three only."""

    FROM_TRUNK = "from-trunk"
    FROM_PHONE = "from-browser-phone"
    FROM_DESK = "from-desk"
    HOTLINE = "hotline"
    CALLBACK = "callback"
    ROOM = "room"


class Script(StrEnum):
    """Call scripts by the path Asterisk asks for: agi://…/<name>."""

    MENU = "menu"
    CALLBACK = "callback"


STAGE_EVENT = "HotlineStage"
"""The user event by which a callback's channel tells the dialer where it is (header Stage)."""


class Stage(StrEnum):
    """Values of the Stage header."""

    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not-confirmed"
    FAILED = "failed"
