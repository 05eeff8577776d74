"""The one list of names that the dialplan and the Python processes share."""

from enum import StrEnum


class Variable(StrEnum):
    """Channel variables. Inherited ones would carry a leading underscore; none is."""

    FINISHED = "HOTLINE_FINISHED"
    """`1` once a call script came to its own ending; otherwise the dialplan apologises."""
    LANGUAGE = "HOTLINE_LANGUAGE"
    """The folder of prompts that the dialplan's own announcements come from."""
    CONFIRMED = "HOTLINE_CONFIRMED"
    """In a callback: `yes` after the citizen pressed 1, `no` when the script gave up asking. In a call to
    an official's telephone: `yes` after the right PIN."""
    LATER = "HOTLINE_LATER"
    """`yes` when a waiting citizen is to be called again later."""
    RECORDED = "HOTLINE_RECORDED"
    """In a callback: `yes` once the citizen was told that we record; `begun` once we do."""
    HEARS = "HOTLINE_HEARS"
    """The channel of the desk's phone that a supervisor's phone, or the soft tone, is to reach."""


class Context(StrEnum):
    """Contexts of extensions.conf. Calls from outside come in by the first three only."""

    FROM_TRUNK = "from-trunk"
    FROM_PHONE = "from-browser-phone"
    FROM_DESK = "from-desk"
    HOTLINE = "hotline"
    LINES_FULL = "lines-full"
    CALLBACK = "callback"
    CONFIRM = "confirm"
    NEAR = "near"
    OFFICIAL = "official"
    DIAL = "dial"
    WAITING = "waiting"
    ROOM = "room"
    SCREENING = "screening"
    LATER = "later"
    LET_GO = "let-go"
    TONE = "tone"
    ASIDE = "aside"
    DESK_KEYS = "desk-keys"
    LISTEN = "supervise-listen"
    WHISPER = "supervise-whisper"
    JOIN = "supervise-join"


class Script(StrEnum):
    """Call scripts by the path Asterisk asks for: agi://…/<name>."""

    MENU = "menu"
    LINES_FULL = "lines-full"
    CALLBACK = "callback"
    CONFIRM = "confirm"
    NEAR = "near"
    WAIT = "wait"
    OFFICIAL = "official"


SUPERVISE = (Context.LISTEN, Context.WHISPER, Context.JOIN)
"""Where a supervisor's phone is that hears a desk; the extension is that desk's number."""

SUPERVISE_EVENT = "HotlineSupervise"
"""The user event by which a supervisor's phone tells that it has come there."""

KEY_EVENT = "HotlineKey"
"""The user event by which a desk's telephone asks for something (header Key, one of Key)."""


class Key(StrEnum):
    """What a desk asks for with its telephone's keys alone (confbridge.conf says which)."""

    NEXT = "next"
    FINISHING = "finishing"
    NOT_NOW = "not-now"
    HANG_UP = "hang-up"
    PAUSE = "pause"
    END_ROUND = "end-round"


DESK_KEYS = {
    "1": Key.NEXT,
    "2": Key.FINISHING,
    "3": Key.NOT_NOW,
    "0": Key.HANG_UP,
    "*7": Key.PAUSE,
    "*9": Key.END_ROUND,
}
"""What an official presses. What ends more than a conversation takes two keys."""


STAGE_EVENT = "HotlineStage"
"""The user event by which a callback's channel tells the dialer where it is (header Stage)."""


class Stage(StrEnum):
    """Values of the Stage header."""

    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not-confirmed"
    LATER = "later"  # pressed 2 while waiting: call me again later
    FAILED = "failed"


NEARLY_OVER = "nearly-over"
"""The clip that only an official hears, shortly before the agreed minutes of a conversation are over."""

LINES_FULL = "lines-full-now"
"""The prompt for callers beyond the lines there are; written anew as rounds open and close."""


CAPPED_CAUSE = 44
"""Why the dialplan itself ends a call that is one too many: no cause that a telephone network would give."""
