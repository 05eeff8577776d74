"""Tells a call's script when its caller took the call back that their telephone had held."""

import contextlib
import time

from asterisk.ami.action import Action
from asterisk.ami.event import Event

from dialer.ami import Ami, AmiError
from dialplan.variables import Variable


def tell_scripts(ami: Ami) -> None:
    """From now on, in the thread that reads: a script asks as soon as what it plays has ended, and a database
    that is away must not come between. Nobody waits for Asterisk's yes: that channel may have gone.
    """

    def hear(event: Event, source: object) -> None:
        channel = event.keys.get("Channel", "")
        if event.name == "Unhold" and channel:
            keys = {"Channel": channel, "Variable": Variable.BACK, "Value": time.monotonic_ns()}
            with contextlib.suppress(AmiError, OSError):
                ami.send(Action("Setvar", keys))

    ami.add_event_listener(hear)
