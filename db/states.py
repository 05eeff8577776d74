"""Every state there is, and every move between states that is allowed. The picture is docs/states.md."""

from enum import StrEnum


class Phase(StrEnum):
    """What a round is at a moment: computed from the clock and three recorded facts, never stored."""

    PLANNED = "planned"  # made, its notice is not out yet
    ANNOUNCED = "announced"  # the notice is out, registration has not begun
    OPEN = "open"  # registration is open, callbacks have not begun
    CLOSED = "closed"  # registration has ended, callbacks have not begun
    LIVE = "live"  # the official answers citizens (`opened_at` is recorded)
    OVER = "over"  # ended by a person (`ended_at` is recorded) or by the clock
    CANCELLED = "cancelled"  # it will not take place (`cancelled_at` is recorded)


class RegistrationState(StrEnum):
    """Where a citizen's place in a round stands."""

    UNCONFIRMED = "unconfirmed"  # keyed in elsewhere, or texted: its owner has yet to agree
    WAITING = "waiting"  # in the line; maybe not before a retry's wait is over
    CALLING = "calling"  # taken out of the line: one live callback belongs to it
    REACHED = "reached"  # the conversation took place
    UNREACHED = "unreached"  # every attempt of this round is used up, or the citizen asked for the next one
    CLOSED = "closed"  # refused, a wrong number, never answered in two rounds or by the operators' line
    CANCELLED = "cancelled"  # given up by the citizen, or a second place beside an older, carried one


class CallbackState(StrEnum):
    """One attempt to reach a registrant, from taking the place out of the line to the outcome.

    Until the conversation it may belong to no desk: the dialer called ahead, for whoever is free first.
    """

    CLAIMED = "claimed"  # a desk holds the citizen's place; nobody is called yet
    DIALING = "dialing"  # the token is committed; the dialer places the call
    RINGING = "ringing"  # the citizen's phone rings
    ANSWERED = "answered"  # picked up; hears who calls and is asked to press 1
    WAITING = "waiting"  # pressed 1: a person; hears music
    SCREENING = "screening"  # speaks with an operator first, in the operator's room
    TALKING = "talking"  # in the desk's room
    HELD = "held"  # the desk's phone is gone in mid-conversation; hears music until it is back
    PARTING = "parting"  # the desk said that it is over, which can still be undone
    ENDED = "ended"  # the call is over; the desk owes an outcome
    CLOSED = "closed"  # the outcome is recorded


class Fact(StrEnum):
    """What can change the order of calling, shows that it was kept, or was done with a request: a row of the
    public ledger.
    """

    REGISTERED = "registered"
    CONFIRMED = "confirmed"  # a keyed-in number was confirmed by its owner: in the line from now on
    NUMBER_CHANGED = "number_changed"  # called at another number from now on; the place stays
    CARRIED = "carried"  # to the official's next round
    MERGED = "merged"  # gave way to an older, carried place of the same number in the same round
    MOVED_UP = "moved_up"  # by a person, with a written reason
    CALLED = "called"  # taken out of the line, by a desk or to be called ahead
    OUTCOME = "outcome"
    CANCELLED = "cancelled"
    CLOSED = "closed"  # never answered in two rounds
    DEFERRED = "deferred"  # the citizen asked for the next round when the turn was near
    ROUND_CANCELLED = "round_cancelled"
    REQUEST_STEP = "request_step"  # hashes of a step of a request's history


class Outcome(StrEnum):
    """What became of a callback."""

    # Told by the telephone network:
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    NOT_CONFIRMED = "not_confirmed"  # answered, but nobody pressed 1: voicemail is not a person
    HUNG_UP = "hung_up"  # answered and hung up before the conversation
    FAILED = "failed"  # our own fault, or nobody can say any more: the citizen pays nothing
    # Told by the desk, or by the system itself:
    REACHED = "reached"
    CALL_AGAIN = "call_again"  # cut off, a bad moment, or pressed 2 while waiting: back to the own place
    REFUSED = "refused"  # the citizen no longer wants the conversation
    WRONG_NUMBER = "wrong_number"
    RETURNED = "returned"  # given back without a call, let go, or held back by a cap: as if never taken


class GuestState(StrEnum):
    """A third person whom a desk asks into its conversation, by telephone."""

    ASKED = "asked"  # the token is committed; nobody is called yet
    DIALING = "dialing"  # the dialer places the call, once
    RINGING = "ringing"
    ANSWERED = "answered"  # picked up; hears who calls and is asked to press 1
    TALKING = "talking"  # in the desk's room
    ENDED = "ended"  # spoke, or was not wanted any more
    FAILED = "failed"  # never came to speak


class GuestEnd(StrEnum):
    """Why the third person is not there, or not any more."""

    BY_DESK = "by_desk"
    LEFT = "left"  # hung up
    CONVERSATION = "conversation"  # it is over, or the desk's phone is gone: nobody stays alone in a room
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    NOT_CONFIRMED = "not_confirmed"  # picked up, but nobody pressed 1: voicemail is not a person
    CAPPED = "capped"  # no channel, or a cap on calls
    FAILED = "failed"  # our own fault


class TurnNearAnswer(StrEnum):
    """What a citizen says to «your turn is near»."""

    REACHABLE = "reachable"  # in the next minutes
    NEXT_ROUND = "next_round"


class RequestState(StrEnum):
    """Where a city problem that was reported to 137 stands."""

    NEW = "new"  # with no department: just reported, or given back by one
    REFERRED = "referred"  # with a department, until a due date
    ACCEPTED = "accepted"  # the same, and the department says that it is in work
    ASKED = "asked"  # the same, and the department waits for what the citizen answers to its question
    REPLIED = "replied"  # the city says that it is solved; the citizen is asked whether it is
    REOPENED = "reopened"  # the citizen says that it is not: before all others
    CLOSED = "closed"  # confirmed by the citizen, or nobody answered in time
    DUPLICATE = "duplicate"  # the same as an earlier one, with which it ends
    REJECTED = "rejected"  # not for the city to solve; the citizen is told why
    SPLIT = "split"  # into parts, each a request of its own: done when all of them are


class RequestStep(StrEnum):
    """What somebody did with a request: a row of its history."""

    REPORTED = "reported"
    PROMISED = "promised"  # by an official to the citizen, with a day
    REFERRED = "referred"  # to a department, with a due date
    RETURNED = "returned"  # given back by the department
    ACCEPTED = "accepted"  # by the department: in work
    TAKEN = "taken"  # an urgent one, by whoever sees to it
    ASKED = "asked"  # the department asks the citizen something
    ANSWERED = "answered"  # the citizen has answered that
    NEWS = "news"  # the citizen is told how it goes on; nothing moves
    REPLIED = "replied"
    CONFIRMED = "confirmed"  # the citizen says that it is solved
    DENIED = "denied"  # the citizen says that it is not
    UNANSWERED = "unanswered"  # closed because the citizen said nothing for so long
    MERGED = "merged"  # found to be a duplicate
    SEPARATED = "separated"  # found to be none after all
    REJECTED = "rejected"
    REMINDED = "reminded"  # the department, shortly before its day
    TO_HEAD = "to_head"  # late by a working day: for the department's head
    TO_SUPERVISORS = "to_supervisors"  # late by two
    SPLIT = "split"  # a part was made of it
    PART = "part"  # made as a part of another one
    PASSED = "passed"  # on to a body outside the city, by a link
    RECALLED = "recalled"  # that link is withdrawn
    BODY_RECEIVED = "body_received"  # says that body
    BODY_ANSWERED = "body_answered"
    BODY_DONE = "body_done"
    JOINED = "joined"  # the parts are one request again: nobody had begun on any


_C = CallbackState

CALLBACK_MOVES: dict[CallbackState, frozenset[CallbackState]] = {
    _C.CLAIMED: frozenset({_C.DIALING, _C.CLOSED}),
    _C.DIALING: frozenset({_C.RINGING, _C.ANSWERED, _C.WAITING, _C.TALKING, _C.ENDED, _C.CLOSED}),
    _C.RINGING: frozenset({_C.ANSWERED, _C.WAITING, _C.TALKING, _C.ENDED, _C.CLOSED}),
    _C.ANSWERED: frozenset({_C.WAITING, _C.TALKING, _C.ENDED, _C.CLOSED}),
    _C.WAITING: frozenset({_C.SCREENING, _C.TALKING, _C.ENDED, _C.CLOSED}),
    _C.SCREENING: frozenset({_C.WAITING, _C.TALKING, _C.ENDED, _C.CLOSED}),
    _C.TALKING: frozenset({_C.HELD, _C.PARTING, _C.WAITING, _C.ENDED}),
    _C.HELD: frozenset({_C.TALKING, _C.PARTING, _C.ENDED, _C.CLOSED}),
    _C.PARTING: frozenset({_C.HELD, _C.ENDED, _C.CLOSED}),
    _C.ENDED: frozenset({_C.CLOSED}),
    _C.CLOSED: frozenset(),
}
"""A callback moves forward; a lost event's step may be skipped. Back goes who waits again (after screening,
or for a conversation that was not over), one whose desk is back, and one whose end is undone."""

_R = RegistrationState

REGISTRATION_MOVES: dict[RegistrationState, frozenset[RegistrationState]] = {
    _R.UNCONFIRMED: frozenset({_R.WAITING, _R.CANCELLED}),
    _R.WAITING: frozenset({_R.CALLING, _R.UNREACHED, _R.CANCELLED}),
    _R.CALLING: frozenset({_R.WAITING, _R.REACHED, _R.UNREACHED, _R.CLOSED}),
    _R.REACHED: frozenset(),
    _R.UNREACHED: frozenset({_R.WAITING, _R.CLOSED, _R.CANCELLED}),  # carried over, or given up
    _R.CLOSED: frozenset(),
    _R.CANCELLED: frozenset(),
}

_Q = RequestState
_ENDS = frozenset({_Q.REPLIED, _Q.DUPLICATE, _Q.REJECTED, _Q.SPLIT})

REQUEST_MOVES: dict[RequestState, frozenset[RequestState]] = {
    _Q.NEW: _ENDS | {_Q.REFERRED},
    _Q.REFERRED: _ENDS | {_Q.REFERRED, _Q.NEW, _Q.ACCEPTED, _Q.ASKED},
    _Q.ACCEPTED: _ENDS | {_Q.REFERRED, _Q.NEW, _Q.ASKED},
    _Q.ASKED: _ENDS | {_Q.REFERRED, _Q.NEW, _Q.ACCEPTED},
    _Q.REPLIED: frozenset({_Q.CLOSED, _Q.REOPENED, _Q.SPLIT}),
    _Q.REOPENED: _ENDS | {_Q.REFERRED, _Q.CLOSED},
    _Q.CLOSED: frozenset(),
    _Q.DUPLICATE: frozenset({_Q.NEW}),
    _Q.REJECTED: frozenset(),
    _Q.SPLIT: frozenset({_Q.REPLIED, _Q.REJECTED, _Q.NEW, _Q.REOPENED}),
}
"""A request that is with a department may go on to another one."""

_G = GuestState

GUEST_MOVES: dict[GuestState, frozenset[GuestState]] = {
    _G.ASKED: frozenset({_G.DIALING, _G.ENDED, _G.FAILED}),
    _G.DIALING: frozenset({_G.RINGING, _G.ANSWERED, _G.TALKING, _G.ENDED, _G.FAILED}),
    _G.RINGING: frozenset({_G.ANSWERED, _G.TALKING, _G.ENDED, _G.FAILED}),
    _G.ANSWERED: frozenset({_G.TALKING, _G.ENDED, _G.FAILED}),
    _G.TALKING: frozenset({_G.ENDED}),
    _G.ENDED: frozenset(),
    _G.FAILED: frozenset(),
}
"""A step whose event was lost may be skipped."""

WITH_DEPARTMENT = (_Q.REFERRED, _Q.ACCEPTED, _Q.ASKED)
"""A department has it, until a due date."""

SEEN_BY_DEPARTMENT = (*WITH_DEPARTMENT, _Q.REPLIED)
"""In these it is the department's to see; a citizen who objects brings it back to the office."""

IN_WORK = (_Q.NEW, *WITH_DEPARTMENT, _Q.REOPENED, _Q.SPLIT)
"""The city owes something."""

OPEN_REQUESTS = (*IN_WORK, _Q.REPLIED)
"""Not at its end."""

ENDED_REQUESTS = tuple(state for state in _Q if state not in OPEN_REQUESTS)
"""All others: fewer, for what looks at each row."""

TAKES_NO_ROOM = (_R.CANCELLED, _R.UNCONFIRMED)
"""Of those that a round has room for, these are none."""

HOLDS_PLACE = (_R.UNCONFIRMED, _R.WAITING, _R.CALLING, _R.UNREACHED)
"""A number with a registration in one of these cannot register again for the same round."""

IN_TALK = (_C.TALKING, _C.HELD)
"""Citizen and desk are in conversation, if only the desk's phone comes back."""

ON_THE_PHONE = (*(_C.DIALING, _C.RINGING, _C.ANSWERED, _C.WAITING, _C.SCREENING), *IN_TALK, _C.PARTING)
"""A channel of Asterisk may exist for a callback in one of these."""

LIVE = tuple(state for state in _C if state is not _C.CLOSED)
"""A callback in one of these has no outcome yet."""

UNDER_WAY = (_C.DIALING, _C.RINGING, _C.ANSWERED)
"""Called, and not yet known to be a person."""

RETRIED = frozenset(set(Outcome) - {Outcome.REACHED, Outcome.REFUSED, Outcome.WRONG_NUMBER})
"""Outcomes after which the registration goes back to its own place in the line."""

FREE_OF_CHARGE = {Outcome.RETURNED, Outcome.CALL_AGAIN, Outcome.FAILED}
"""Outcomes that do not use up one of a registration's attempts in a round."""


def sources(to: CallbackState) -> list[CallbackState]:
    """The states from which a callback may move to `to`."""
    return [state for state, targets in CALLBACK_MOVES.items() if to in targets]


def registration_sources(to: RegistrationState) -> list[RegistrationState]:
    """The states from which a registration may move to `to`."""
    return [state for state, targets in REGISTRATION_MOVES.items() if to in targets]


def request_sources(to: RequestState) -> list[RequestState]:
    """The states from which a request may move to `to`."""
    return [state for state, targets in REQUEST_MOVES.items() if to in targets]


def guest_sources(to: GuestState) -> list[GuestState]:
    """The states from which a third person's call may move to `to`."""
    return [state for state, targets in GUEST_MOVES.items() if to in targets]
