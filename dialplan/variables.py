"""The one list of names that the dialplan and the Python processes share."""

from enum import StrEnum


class Variable(StrEnum):
    """Channel variables. None is inherited, so none has a leading underscore."""

    FINISHED = "HOTLINE_FINISHED"
    """How a call script ended: `1` normally, `no` by a fault, `gone` by a hang-up; empty if unknown."""
    AGAIN = "HOTLINE_AGAIN"
    """The language of a call whose script crashed and is started again; else empty."""
    MISSED = "HOTLINE_MISSED"
    """How many attempts, a second apart, found no call script server."""
    LANGUAGE = "HOTLINE_LANGUAGE"
    """The folder of prompts for the dialplan's own announcements."""
    BACK = "HOTLINE_BACK"
    """When the caller last took the call off hold, in nanoseconds of the machine's monotonic clock; else
    empty."""
    SUBJECT = "HOTLINE_SUBJECT"
    """The key of the subject that a registered caller chose, in case the script crashes afterwards."""
    CONFIRMED = "HOTLINE_CONFIRMED"
    """`yes` or `no`, by the kind of call.

    In a callback: `yes` after the citizen pressed 1, `no` when the script gave up asking. In a call to an
    official's telephone: `yes` after the right PIN. In a call to a third person: `yes` after they pressed 1.
    At a desk's phone: whether it may enter the conference room."""
    LATER = "HOTLINE_LATER"
    """`yes` if a waiting citizen wants to be called again later."""
    RECORDED = "HOTLINE_RECORDED"
    """In a callback: `yes` once the citizen was told of the recording, `begun` once it runs."""
    STAYS = "HOTLINE_STAYS"
    """The registration id of a caller who stays on the line until an operator is free (`12`); else empty.

    An urgent matter's id follows if the caller goes on to the emergency service after too long (`12-7`)."""
    RESCUE = "HOTLINE_RESCUE"
    """The urgent matter's id and the language of a caller to connect with the emergency service (`12-fa`);
    else empty."""
    MEETS = "HOTLINE_MEETS"
    """The channel id of a waiting caller.

    A callback joins it instead of dialling a number, and so does the emergency service once it has answered.
    """
    LEFT = "HOTLINE_LEFT"
    """Whether the number of a caller who pressed 1 when all lines were full is `kept` or `not`; else empty.
    """
    CALLER = "HOTLINE_CALLER"
    """In a callback to such a number: the number, once somebody there has pressed 1; else empty."""
    TRUNKS = "HOTLINE_TRUNKS"
    """The trunks for an outgoing call, tried one after another (`first&second`)."""
    BEFORE = "HOTLINE_BEFORE"
    """When the lease of the node that places a call ends, in seconds since 1970. From then on nobody is
    dialled. Empty if there is no other node."""
    HEARS = "HOTLINE_HEARS"
    """The channel of the desk's phone that a supervisor's phone, or the soft tone, is to reach."""
    PASSWORD = "HOTLINE_PASSWORD"  # noqa: S105
    """The new password of a desk's phone, which the dialplan writes down."""


class Context(StrEnum):
    """Contexts of extensions.conf. Calls from outside enter by the first four only."""

    FROM_TRUNK = "from-trunk"
    FROM_PHONE = "from-browser-phone"
    FROM_DESK = "from-desk"
    ASKED = "asked"
    HOTLINE = "hotline"
    LINES_FULL = "lines-full"
    ELSEWHERE = "elsewhere"
    ON_THE_LINE = "on-the-line"
    CALLBACK = "callback"
    CONFIRM = "confirm"
    OUTBOUND = "outbound"
    TRIAL = "trial"
    URGENT = "urgent"
    RESCUE = "rescue"
    RESCUER = "rescuer"
    OFFICIAL = "official"
    GUEST = "guest"
    GUEST_ROOM = "guest-room"
    DIAL = "dial"
    MEET = "meet"
    WAITING = "waiting"
    ROOM = "room"
    SCREENING = "screening"
    LATER = "later"
    LET_GO = "let-go"
    CUT_OFF = "cut-off"
    HELD = "held"
    HELD_OVER = "held-over"
    ON_HOLD = "on-hold"
    PARTING = "parting"
    TONE = "tone"
    ASIDE = "aside"
    DESK_KEYS = "desk-keys"
    DESK_PASSWORD = "desk-password"  # noqa: S105
    LISTEN = "supervise-listen"
    WHISPER = "supervise-whisper"
    JOIN = "supervise-join"


class Script(StrEnum):
    """Call scripts, by the path that Asterisk asks for: agi://…/<name>."""

    MENU = "menu"
    LINES_FULL = "lines-full"
    LEAVE_NUMBER = "leave-number"
    OVERFLOW = "left-number"
    ON_THE_LINE = "on-the-line"
    CALLBACK = "callback"
    CONFIRM = "confirm"
    HEADS_UP = "turn-near"
    SIGN_IN_CODE = "sign-in-code"
    SOLVED = "solved"
    TRIAL = "trial"
    URGENT = "urgent"
    RESCUE = "rescue"
    WAIT = "wait"
    OFFICIAL = "official"
    GUEST = "guest"
    DESK = "desk"


OUTBOUND = (Script.SIGN_IN_CODE, Script.OVERFLOW, Script.HEADS_UP, Script.SOLVED)
"""Scripts of the queue's calls, each an extension of that context (hotline.outbound.kinds)."""

SUPERVISE = (Context.LISTEN, Context.WHISPER, Context.JOIN)
"""Contexts of a supervisor's phone that hears a desk; the extension is that desk's number."""

SUPERVISE_EVENT = "HotlineSupervise"
"""The user event of a supervisor's phone that has entered such a context."""

KEY_EVENT = "HotlineKey"
"""The user event of a desk's telephone whose key was pressed (header Key, one of Key)."""


class Key(StrEnum):
    """Actions of a desk by its telephone's keys alone (mapped in confbridge.conf)."""

    NEXT = "next"
    FINISHING = "finishing"
    NOT_NOW = "not-now"
    HANG_UP = "hang-up"
    UNDO = "undo"
    PAUSE = "pause"
    END_ROUND = "end-round"


DESK_KEYS = {
    "1": Key.NEXT,
    "2": Key.FINISHING,
    "3": Key.NOT_NOW,
    "4": Key.UNDO,
    "0": Key.HANG_UP,
    "*7": Key.PAUSE,
    "*9": Key.END_ROUND,
}
"""An official's keys. An action that ends more than a conversation takes two keys."""


STAGE_EVENT = "HotlineStage"
"""The user event by which a callback's channel reports its stage to the dialer (header Stage)."""


class Stage(StrEnum):
    """Values of the Stage header."""

    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not-confirmed"
    LATER = "later"  # pressed 2 while waiting: call me again later
    SPOKE = "spoke"  # in a call that is no callback: the script has said everything
    FAILED = "failed"
    HELD = "held"  # the desk's, or the third person's, phone left the conference room in a conversation
    HELD_OVER = "held-over"  # the desk's phone did not come back in time
    ON_HOLD = "on-hold"  # out of the conference room: the desk put the citizen on hold
    ALONE = "alone"  # the emergency service answered, and its caller has hung up
    PARTING = "parting"  # out of the conference room: the desk ended the conversation


SAID_EVENT = "HotlineSaid"
"""The user event with the network's last answer to an outgoing call; the hang-up follows.

Header Sip is the final SIP status. When our ringing time ended, it is the last provisional one (100, 180, …),
or 0 for none. Header Trunk is the trunk that answered, if one did."""

SAID_BY_PHONES = (
    *(180, 181, 182, 183),
    *(300, 301, 302, 305, 380),
    *(404, 410, 480, 484, 485, 486),
    *(600, 603, 604, 607, 608),
)
"""SIP statuses that only a phone sends. After any other failure the call goes to the next trunk."""

TRUNK_EVENT = "HotlineTrunk"
"""The user event of a trunk that refused the call: headers Trunk and Sip, as above. The next trunk is tried.
"""

PATIENCE_S = 15
"""Seconds that a caller waits for a call script while no server answers."""

NEARLY_OVER = "nearly-over"
"""The prompt for an official alone, shortly before the agreed minutes of a conversation end."""

CONFIRM_NEXT = "official-confirm-next"
"""The prompt for an official alone who asks for the next citizen just after a conversation began."""

LIVE_CALL = "live-call"
"""The prompt for a desk alone that takes live calls: somebody is being connected."""

ASIDES = (NEARLY_OVER, CONFIRM_NEXT, LIVE_CALL)
"""Prompts that are whispered into a desk's phone."""

PROXY_NEXT = "X-Hotline-Next"
"""The header of a call that the SIP proxy can send to another node if this one is full."""

PROXY_TRUNK = "X-Hotline-Trunk"
"""The header in which the proxy names the call's trunk."""

LINES_FULL = "lines-full-now"
"""The prompt when all lines are full; ivr writes it again as rounds open and close."""

LINES_FULL_OFFER = "lines-full-offer-now"
"""The same prompt for callers who may leave their number by a key; absent while nobody may."""

CALLERS_ADMITTED = "asterisk/callers-admitted"
"""The file in the state folder with the number of callers admitted at one time (ivr.admission).

ivr writes it each second. If it is older than ADMITTED_S, ivr is gone or rejects a proxy's callers, who have
another node."""
ADMITTED_S = 5
HUNG_S = 3
"""Above this age ivr may hang; the caller hears at once that the call goes on."""

TOLD_AT_ONCE = 20
"""Callers at one time who hear that all lines are full while answers are late; others are rejected unheard.
"""

CAPPED_CAUSE = 45
"""The hang-up cause of a call beyond the cap, set by the dialplan. No telephone network uses it, nor Asterisk
(44: no RTP)."""

CALLBACK_PREFIX = "callback-"
"""The beginning of a callback's channel id."""

REPLACED_CAUSE = 26
"""The hang-up cause of a desk's phone when the desk enters by another phone, or nobody sits there any more.
The phone must not come back by itself."""

DESK_PASSWORDS = "desks"
"""The part of Asterisk's own database (AstDB) that holds the passwords of desks' phones, by account."""
