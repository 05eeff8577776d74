"""Notice to a call's script that its caller has ended a hold by their telephone."""

import contextlib
import time

from asterisk.ami.action import Action
from asterisk.ami.event import Event

from dialer.ami import Ami, AmiError
from dialplan.variables import Variable


def tell_scripts(ami: Ami) -> None:
    """Set a channel variable whenever a caller ends a hold; in the reading thread, without the database.

    The script reads it as soon as its prompt has ended. The dialer does not await Asterisk's answer: the
    channel may have gone.
    """

    def hear(event: Event, source: object) -> None:
        channel = event.keys.get("Channel", "")
        if event.name == "Unhold" and channel:
            keys = {"Channel": channel, "Variable": Variable.BACK, "Value": time.monotonic_ns()}
            with contextlib.suppress(AmiError, OSError):
                ami.send(Action("Setvar", keys))

    ami.add_event_listener(hear)
