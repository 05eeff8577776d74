"""All states, and all allowed moves between them. docs/states.md has the drawing."""

from enum import StrEnum


class Phase(StrEnum):
    """A round's phase: computed from the clock and three recorded facts, never stored."""

    PLANNED = "planned"  # made, notice not published
    ANNOUNCED = "announced"  # notice published, registration not begun
    OPEN = "open"  # registration open, callbacks not begun
    CLOSED = "closed"  # registration ended, callbacks not begun
    LIVE = "live"  # the official answers citizens (`opened_at` is recorded)
    OVER = "over"  # ended by a person (`ended_at` is recorded) or by the clock
    CANCELLED = "cancelled"  # will not take place (`cancelled_at` is recorded)


class RegistrationState(StrEnum):
    """The state of a citizen's place in a round."""

    UNCONFIRMED = "unconfirmed"  # typed by somebody else, or texted: its owner has not agreed yet
    WAITING = "waiting"  # in the line; maybe not before a retry's wait is over
    CALLING = "calling"  # taken out of the line: it has one live callback
    REACHED = "reached"  # the conversation took place
    UNREACHED = "unreached"  # every attempt of this round is used up, or the citizen asked for the next one
    CLOSED = "closed"  # refused, a wrong number, never answered in two rounds or by the operators' line
    CANCELLED = "cancelled"  # cancelled by the citizen, or a second place beside an older, carried one


class CallbackState(StrEnum):
    """One attempt to reach a registrant, from claiming the place to the outcome.

    Until the conversation it may have no desk: the dialer calls ahead for the first free desk.
    """

    CLAIMED = "claimed"  # a desk has the citizen's place; nobody is called yet
    DIALING = "dialing"  # the token is committed; the dialer places the call
    RINGING = "ringing"  # the citizen's phone rings
    ANSWERED = "answered"  # picked up; hears who calls and is asked to press 1
    WAITING = "waiting"  # pressed 1: a person; hears music
    SCREENING = "screening"  # speaks with an operator first, in the operator's conference room
    TALKING = "talking"  # in the desk's conference room
    HELD = "held"  # the desk's phone left the conversation; music until it is back
    PARTING = "parting"  # the desk ended the conversation, which can still be undone
    ENDED = "ended"  # the call is over; the desk owes an outcome
    CLOSED = "closed"  # the outcome is recorded


class Fact(StrEnum):
    """A row of the public ledger.

    It changes the order of calling, proves that the order was kept, or is a step of a request.
    """

    REGISTERED = "registered"
    CONFIRMED = "confirmed"  # a typed number was confirmed by its owner: in the line from now on
    NUMBER_CHANGED = "number_changed"  # called at another number from now on; the place stays
    CARRIED = "carried"  # to the official's next round
    MERGED = "merged"  # gave way to an older, carried place of the same number in the same round
    MOVED_UP = "moved_up"  # by a person, with a written reason
    CALLED = "called"  # taken out of the line, by a desk or to be called ahead
    OUTCOME = "outcome"
    CANCELLED = "cancelled"
    CLOSED = "closed"  # never answered in two rounds
    DEFERRED = "deferred"  # the citizen near the front asked for the next round
    ROUND_CANCELLED = "round_cancelled"
    REQUEST_STEP = "request_step"  # hashes of a step of a request's history


class Outcome(StrEnum):
    """A callback's outcome."""

    # By the telephone network:
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    NOT_CONFIRMED = "not_confirmed"  # answered, but nobody pressed 1: voicemail is not a person
    HUNG_UP = "hung_up"  # answered and hung up before the conversation
    FAILED = "failed"  # our own fault, or unknown: it costs the citizen nothing
    # By the desk, or by the system itself:
    REACHED = "reached"
    CALL_AGAIN = "call_again"  # cut off, a bad moment, or pressed 2 while waiting: back to the own place
    REFUSED = "refused"  # the citizen no longer wants the conversation
    WRONG_NUMBER = "wrong_number"
    RETURNED = "returned"  # given back without a call, let go, or held back by a cap: as if never taken


class GuestState(StrEnum):
    """The state of a third person whom a desk calls into its conversation."""

    ASKED = "asked"  # the token is committed; nobody is called yet
    DIALING = "dialing"  # the dialer places the call, once
    RINGING = "ringing"
    ANSWERED = "answered"  # picked up; hears who calls and is asked to press 1
    TALKING = "talking"  # in the desk's conference room
    ENDED = "ended"  # took part, or was not wanted any more
    FAILED = "failed"  # never took part


class GuestEnd(StrEnum):
    """The reason why the third person's part ended."""

    BY_DESK = "by_desk"
    LEFT = "left"  # hung up
    # it ended, or the desk's phone is gone: nobody stays alone in a conference room
    CONVERSATION = "conversation"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    NOT_CONFIRMED = "not_confirmed"  # picked up, but nobody pressed 1: voicemail is not a person
    CAPPED = "capped"  # no channel, or a cap on calls
    FAILED = "failed"  # our own fault


class HeadsUpAnswer(StrEnum):
    """A citizen's answer to «your turn is near»."""

    REACHABLE = "reachable"  # in the next minutes
    NEXT_ROUND = "next_round"


class RequestState(StrEnum):
    """The state of a city problem reported to 137."""

    NEW = "new"  # without a department: just reported, or returned by one
    REFERRED = "referred"  # with a department, until a due date
    ACCEPTED = "accepted"  # the same, and the department has accepted it
    ASKED = "asked"  # the same, and the department waits for the citizen's answer
    REPLIED = "replied"  # the city says that it is solved; the citizen is asked
    REOPENED = "reopened"  # the citizen says that it is not solved: before all others
    CLOSED = "closed"  # confirmed by the citizen, or nobody answered in time
    DUPLICATE = "duplicate"  # of an earlier request, with which it ends
    REJECTED = "rejected"  # not for the city to solve; the citizen is told why
    SPLIT = "split"  # into parts, each a request of its own; solved when all are


class RequestStep(StrEnum):
    """A step of a request's history."""

    REPORTED = "reported"
    PROMISED = "promised"  # by an official to the citizen, with a day
    REFERRED = "referred"  # to a department, with a due date
    RETURNED = "returned"  # by the department
    ACCEPTED = "accepted"  # by the department: in work
    TAKEN = "taken"  # an urgent request, by a person
    ASKED = "asked"  # the department asks the citizen something
    ANSWERED = "answered"  # the citizen has answered the question
    NEWS = "news"  # the citizen is told how it goes on; the state stays
    REPLIED = "replied"
    CONFIRMED = "confirmed"  # the citizen says that it is solved
    DENIED = "denied"  # the citizen says that it is not solved
    UNANSWERED = "unanswered"  # closed because the citizen did not answer in time
    MERGED = "merged"  # marked as a duplicate
    SEPARATED = "separated"  # no duplicate after all
    REJECTED = "rejected"
    REMINDED = "reminded"  # the department, shortly before its due date
    TO_HEAD = "to_head"  # one working day late: to the department's head
    TO_SUPERVISORS = "to_supervisors"  # two working days late
    SPLIT = "split"  # a part was made of it
    PART = "part"  # made as a part of another request
    PASSED = "passed"  # to an agency outside the city, by a link
    RECALLED = "recalled"  # that link is withdrawn
    BODY_RECEIVED = "body_received"  # by the agency
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
"""A callback moves forward; if an event is lost, its step may be skipped.

Three moves go back. A citizen waits again, after screening or when a conversation was not over. A lost desk
comes back. An end is undone."""

_R = RegistrationState

REGISTRATION_MOVES: dict[RegistrationState, frozenset[RegistrationState]] = {
    _R.UNCONFIRMED: frozenset({_R.WAITING, _R.CANCELLED}),
    _R.WAITING: frozenset({_R.CALLING, _R.UNREACHED, _R.CANCELLED}),
    _R.CALLING: frozenset({_R.WAITING, _R.REACHED, _R.UNREACHED, _R.CLOSED}),
    _R.REACHED: frozenset(),
    _R.UNREACHED: frozenset({_R.WAITING, _R.CLOSED, _R.CANCELLED}),  # carried over, or cancelled
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
    _Q.SPLIT: frozenset({_Q.REPLIED, _Q.REJECTED, _Q.NEW, _Q.REOPENED, _Q.CLOSED}),
}
"""A request with a department may be referred to another one."""

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
"""If an event is lost, its step may be skipped."""

WITH_DEPARTMENT = (_Q.REFERRED, _Q.ACCEPTED, _Q.ASKED)
"""A department has the request, until a due date."""

SEEN_BY_DEPARTMENT = (*WITH_DEPARTMENT, _Q.REPLIED)
"""States that the department sees; a citizen's objection brings the request back to the office."""

IN_WORK = (_Q.NEW, *WITH_DEPARTMENT, _Q.REOPENED, _Q.SPLIT)
"""States in which the city owes something: unsolved, by the city's own word."""

SOLVED_REQUESTS = (_Q.REPLIED, _Q.CLOSED)
"""States in which the city says that it has solved the problem; the citizen may say otherwise."""

OPEN_REQUESTS = (*IN_WORK, _Q.REPLIED)
"""States before the end."""

ENDED_REQUESTS = tuple(state for state in _Q if state not in OPEN_REQUESTS)
"""All other states: a shorter list for conditions on each row."""

TAKES_NO_ROOM = (_R.CANCELLED, _R.UNCONFIRMED)
"""States that do not count against a round's capacity."""

HOLDS_PLACE = (_R.UNCONFIRMED, _R.WAITING, _R.CALLING, _R.UNREACHED)
"""A number with a registration in one of these cannot register again for the same round."""

IN_TALK = (_C.TALKING, _C.HELD)
"""Citizen and desk are in conversation, or will be once the desk's phone is back."""

ON_THE_PHONE = (*(_C.DIALING, _C.RINGING, _C.ANSWERED, _C.WAITING, _C.SCREENING), *IN_TALK, _C.PARTING)
"""A callback in one of these may have a channel of Asterisk."""

LIVE = tuple(state for state in _C if state is not _C.CLOSED)
"""A callback in one of these has no outcome yet."""

UNDER_WAY = (_C.DIALING, _C.RINGING, _C.ANSWERED)
"""Called, and not yet known to be a person."""

RETRIED = frozenset(set(Outcome) - {Outcome.REACHED, Outcome.REFUSED, Outcome.WRONG_NUMBER})
"""Outcomes after which the registration goes back to its own place in the line."""

FREE_OF_CHARGE = {Outcome.RETURNED, Outcome.CALL_AGAIN, Outcome.FAILED}
"""Outcomes that do not use up one of a registration's attempts in a round."""


def list_callback_sources(to: CallbackState) -> list[CallbackState]:
    """Return the states from which a callback may move to `to`."""
    return [state for state, targets in CALLBACK_MOVES.items() if to in targets]


def list_registration_sources(to: RegistrationState) -> list[RegistrationState]:
    """Return the states from which a registration may move to `to`."""
    return [state for state, targets in REGISTRATION_MOVES.items() if to in targets]


def list_request_sources(to: RequestState) -> list[RequestState]:
    """Return the states from which a request may move to `to`."""
    return [state for state, targets in REQUEST_MOVES.items() if to in targets]


def list_guest_sources(to: GuestState) -> list[GuestState]:
    """Return the states from which a third person's call may move to `to`."""
    return [state for state, targets in GUEST_MOVES.items() if to in targets]
