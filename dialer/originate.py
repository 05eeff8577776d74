"""Channels that the system creates: the one way to call anybody, and two ways to add a channel."""

import math
import time

from dialer.ami import Ami
from dialplan.variables import Context, Variable
from hotline.trunk.call_caps import CallPermit
from settings import Settings

_LONGER_S = 5
"""Seconds beyond the dialplan's ringing time of each trunk, which must end first because it has the cause."""


def originate(
    ami: Ami, settings: Settings, call: CallPermit, context: Context, *, extension: str = "s", meets: str = ""
) -> None:
    """Place a recorded call, and run `context` when it is answered. Raises AmiError.

    `meets`: the id of the caller's channel to take over then. NotAccepted is Asterisk's no; after any other
    AmiError it is unknown whether the phone rings. The token is the channel's id, so Asterisk refuses a
    second call while the first one lives. The dialplan dials, follows no forwarding, and tries one trunk
    after another.
    """
    _start(
        ami,
        f"{call.number}@{Context.DIAL}",
        context,
        extension,
        timeout_s=settings.ring_seconds * max(1, len(call.trunks)) + _LONGER_S,
        ActionID=call.token,
        ChannelId=call.token,
        CallerID="137 <137>",
        **_variables(
            {
                Variable.MEETS: meets,
                Variable.TRUNKS: "&".join(call.trunks),
                Variable.BEFORE: _before(ami.may_place_for()),
            }
        ),
    )


def _before(seconds: float) -> str:
    """Return the end of the lease for Asterisk's own check: either process may be suspended on the way."""
    return "" if math.isinf(seconds) else str(int(time.time() + seconds))


def _variables(values: dict[Variable, str]) -> dict[str, str]:
    told = ",".join(f"{name}={value}" for name, value in values.items() if value)
    return {"Variable": told} if told else {}


def connect_waiting_caller(ami: Ami, token: str, caller: str, language: str) -> None:
    """Connect a callback with the caller whose channel has this id; no phone is dialled. Raises AmiError.

    If that channel has just ended, the callback's ends, too.
    """
    met = f"{Variable.MEETS}={caller},{Variable.LANGUAGE}={language}"
    _start(ami, f"s@{Context.MEET}", Context.WAITING, ActionID=token, ChannelId=token, Variable=met)


def say_aside(ami: Ami, phone: str, clip: str) -> None:
    """Play the clip to this phone's channel alone: one half plays it, the other whispers. Raises AmiError."""
    _start(ami, f"{clip}@{Context.TONE}", Context.ASIDE, Variable=f"{Variable.HEARS}={phone}")


def _start(
    ami: Ami, local: str, then: Context, extension: str = "s", *, timeout_s: int = _LONGER_S, **more: str
) -> None:
    """Create a Local channel: one half begins at `local`; after its answer the other goes on at `then`."""
    ami.request(
        "Originate",
        Channel=f"Local/{local}/n",
        Context=then.value,
        Exten=extension,
        Priority=1,
        Timeout=timeout_s * 1000,
        Async="true",
        **more,
    )
