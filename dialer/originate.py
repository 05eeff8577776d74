"""Every channel that this system itself begins: the one way in which it calls anybody, and two beside it."""

import math
import time

from dialer.ami import Ami
from dialplan.variables import Context, Variable
from hotline.callbacks.toll import CallPermit
from settings import Settings

_LONGER_S = 5
"""The dialplan's own ringing time, of each trunk, ends first, and knows why; where nobody rings, this is time
enough."""


def originate(
    ami: Ami, settings: Settings, call: CallPermit, context: Context, *, extension: str = "s", meets: str = ""
) -> None:
    """Place a call that is written down and, when it is answered, run `context`. Raises AmiError.

    `meets`: the id of the caller's channel that it takes over then.
    NotAccepted is Asterisk's no; after any other AmiError nobody knows whether the phone rings.
    The token is the channel's id: Asterisk itself refuses it a second time while the first one lives.
    The call goes through the dialplan's way out, which follows no forwarding, by one trunk after another.
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
    """Asterisk's own look at the end of the lease: this process, or Asterisk, may sleep on the way there."""
    return "" if math.isinf(seconds) else str(int(time.time() + seconds))


def _variables(values: dict[Variable, str]) -> dict[str, str]:
    told = ",".join(f"{name}={value}" for name, value in values.items() if value)
    return {"Variable": told} if told else {}


def meet(ami: Ami, token: str, caller: str, language: str) -> None:
    """Connect a callback with the caller whose channel has this id: no phone is dialled. Raises AmiError.

    If that channel has just ended, so does the callback's.
    """
    met = f"{Variable.MEETS}={caller},{Variable.LANGUAGE}={language}"
    _start(ami, f"s@{Context.MEET}", Context.WAITING, ActionID=token, ChannelId=token, Variable=met)


def say_aside(ami: Ami, phone: str, clip: str) -> None:
    """Only this phone's channel hears the clip: one half plays it, the other whispers. Raises AmiError."""
    _start(ami, f"{clip}@{Context.TONE}", Context.ASIDE, Variable=f"{Variable.HEARS}={phone}")


def _start(
    ami: Ami, local: str, then: Context, extension: str = "s", *, timeout_s: int = _LONGER_S, **more: str
) -> None:
    """One half of a Local channel begins at `local`; once that has answered, the other goes on at `then`."""
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
