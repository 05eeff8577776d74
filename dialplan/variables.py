"""The one list of names that the dialplan and the Python processes share."""

from enum import StrEnum


class Variable(StrEnum):
    """Channel variables. Inherited ones would carry a leading underscore; none is."""

    FINISHED = "HOTLINE_FINISHED"
    """`1` once a call script came to its own ending, `no` if a fault ended it, `gone` if a hang-up did; empty
    if it could not say."""
    AGAIN = "HOTLINE_AGAIN"
    """The language of the call, once its script has broken off and is asked again; else empty."""
    MISSED = "HOTLINE_MISSED"
    """How often nobody answered where the script is asked for, a second apart."""
    LANGUAGE = "HOTLINE_LANGUAGE"
    """The folder of prompts that the dialplan's own announcements come from."""
    BACK = "HOTLINE_BACK"
    """When the caller took the call back last that their telephone had held, in ns by the machine's monotonic
    clock, which nobody sets back; else empty."""
    SUBJECT = "HOTLINE_SUBJECT"
    """The key of the subject that a registered caller has chosen, should the script break off after it."""
    CONFIRMED = "HOTLINE_CONFIRMED"
    """In a callback: `yes` after the citizen pressed 1, `no` when the script gave up asking. In a call to
    an official's telephone: `yes` after the right PIN. To a third person: `yes` after they pressed 1. Of a
    desk's phone: `yes` if it may come into the room, `no` if not."""
    LATER = "HOTLINE_LATER"
    """`yes` when a waiting citizen is to be called again later."""
    RECORDED = "HOTLINE_RECORDED"
    """In a callback: `yes` once the citizen was told that we record; `begun` once we do."""
    STAYS = "HOTLINE_STAYS"
    """The id of the registration whose caller stays on the line until an operator is free (`12`), and of the
    urgent matter, if they go on to the emergency service where that takes too long (`12-7`); else empty."""
    RESCUE = "HOTLINE_RESCUE"
    """The id of the urgent matter whose caller is to be connected with the emergency service, and the
    language (`12-fa`); else empty."""
    MEETS = "HOTLINE_MEETS"
    """The id of the channel of a caller who waits: a callback meets them there instead of dialling a number,
    and so does the emergency service that has answered."""
    LEFT = "HOTLINE_LEFT"
    """Of a caller who found all lines full and pressed 1: `kept` once their number is kept, `not` if it may
    not be; else empty."""
    CALLER = "HOTLINE_CALLER"
    """In our call to such a number: that number, once somebody there has pressed 1; else empty."""
    TRUNKS = "HOTLINE_TRUNKS"
    """By which trunks a call of ours is to go, one after another until one takes it (`first&second`)."""
    BEFORE = "HOTLINE_BEFORE"
    """When the lease of the node that places a call is over, in seconds since 1970; empty where there is no
    other. From then on nobody is dialled any more."""
    HEARS = "HOTLINE_HEARS"
    """The channel of the desk's phone that a supervisor's phone, or the soft tone, is to reach."""
    PASSWORD = "HOTLINE_PASSWORD"  # noqa: S105
    """The new password of a desk's phone, which the dialplan writes down."""


class Context(StrEnum):
    """Contexts of extensions.conf. Calls from outside come in by the first four only."""

    FROM_TRUNK = "from-trunk"
    FROM_PHONE = "from-browser-phone"
    FROM_DESK = "from-desk"
    ASKED = "asked"
    HOTLINE = "hotline"
    LINES_FULL = "lines-full"
    LEFT_NUMBER = "left-number"
    ELSEWHERE = "elsewhere"
    ON_THE_LINE = "on-the-line"
    CALLBACK = "callback"
    CONFIRM = "confirm"
    TURN_NEAR = "turn-near"
    SIGN_IN_CODE = "sign-in-code"
    SOLVED = "solved"
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
    """Call scripts by the path Asterisk asks for: agi://…/<name>."""

    MENU = "menu"
    LINES_FULL = "lines-full"
    LEAVE_NUMBER = "leave-number"
    LEFT_NUMBER = "left-number"
    ON_THE_LINE = "on-the-line"
    CALLBACK = "callback"
    CONFIRM = "confirm"
    TURN_NEAR = "turn-near"
    SIGN_IN_CODE = "sign-in-code"
    SOLVED = "solved"
    TRIAL = "trial"
    URGENT = "urgent"
    RESCUE = "rescue"
    WAIT = "wait"
    OFFICIAL = "official"
    GUEST = "guest"
    DESK = "desk"


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
"""What an official presses. What ends more than a conversation takes two keys."""


STAGE_EVENT = "HotlineStage"
"""The user event by which a callback's channel tells the dialer where it is (header Stage)."""


class Stage(StrEnum):
    """Values of the Stage header."""

    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not-confirmed"
    LATER = "later"  # pressed 2 while waiting: call me again later
    SPOKE = "spoke"  # in a call that is no callback: the script has said all it had to
    FAILED = "failed"
    HELD = "held"  # the desk's phone has left the room in mid-conversation; of a third person, too
    HELD_OVER = "held-over"  # the desk's phone has not come back in time
    ON_HOLD = "on-hold"  # taken out of the room: the desk has asked the citizen to wait
    ALONE = "alone"  # the emergency service answered, and its caller has hung up
    PARTING = "parting"  # taken out of the room: the desk said that the conversation is over


SAID_EVENT = "HotlineSaid"
"""The user event by which the half of a call that dialled tells what the network said last: the header Sip is
the number of its final answer, or of how far it had come when our ringing time was over (100, 180, …); 0:
nothing at all; Trunk: which one said it, if one did. Its hang-up follows."""

SAID_BY_PHONES = (
    *(180, 181, 182, 183),
    *(300, 301, 302, 305, 380),
    *(404, 410, 480, 484, 485, 486),
    *(600, 603, 604, 607, 608),
)
"""What only a phone says (SIP). After anything else the call came to none, and goes by the next trunk."""

TRUNK_EVENT = "HotlineTrunk"
"""The user event by which the same half tells that a trunk (header Trunk) did not take the call, and what it
said (header Sip, as above); the next one is tried."""

PATIENCE_S = 15
"""So long a caller waits for a call script while nobody answers there."""

NEARLY_OVER = "nearly-over"
"""The clip that only an official hears, shortly before the agreed minutes of a conversation are over."""

CONFIRM_NEXT = "official-confirm-next"
"""The prompt that only an official hears who asks for the next citizen when a conversation has just begun."""

LIVE_CALL = "live-call"
"""The clip that only a desk hears that takes live calls: somebody is being connected."""

ASIDES = (NEARLY_OVER, CONFIRM_NEXT, LIVE_CALL)
"""What is whispered into a desk's phone."""

PROXY_NEXT = "X-Hotline-Next"
"""The header of a call for which the SIP proxy will ask another node, should this one have no line free."""

PROXY_TRUNK = "X-Hotline-Trunk"
"""The header by which it tells by whose trunk a call has come."""

LINES_FULL = "lines-full-now"
"""The prompt for callers beyond the lines there are; written anew as rounds open and close."""

LINES_FULL_OFFER = "lines-full-offer-now"
"""The same for those who may leave their number by a key; not there while nobody may."""

CALLERS_ADMITTED = "asterisk/callers-admitted"
"""The file in the state folder that says how many callers may be in at one time (ivr.admission).

It is written each second. One that is older than ADMITTED_S is of call scripts that are gone, or do not want
a proxy's callers: these have another node.
"""
ADMITTED_S = 5
HUNG_S = 3
"""Where it is older than this they may hang: a caller hears at once that it goes on."""

TOLD_AT_ONCE = 20
"""So many hear at one time that all lines are full while answers are late; others are turned away unheard."""

CAPPED_CAUSE = 45
"""Why the dialplan itself ends a call that is one too many: no cause that a telephone network would give, nor
Asterisk (44: the sound stayed away)."""

CALLBACK_PREFIX = "callback-"
"""How the id of a callback's channel begins."""

REPLACED_CAUSE = 26
"""Why a desk's phone is hung up if the desk came in by another one, or nobody sits there any more: it must
not come back by itself."""

DESK_PASSWORDS = "desks"
"""The part of Asterisk's own database (AstDB) that holds the passwords of desks' phones, by account."""
