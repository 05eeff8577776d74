"""The one way in which this system calls anybody."""

from dialer.ami import Ami
from dialplan.variables import Context
from hotline.toll import Call
from settings import Settings

_LONGER_S = 5
"""The dialplan's own ringing time ends first, and knows why."""


def originate(ami: Ami, settings: Settings, call: Call, context: Context, *, extension: str = "s") -> None:
    """Place a call that is written down and, when it is answered, run `context`. Raises AmiError.

    NotAccepted is Asterisk's no; after any other AmiError nobody knows whether the phone rings.
    The token is the channel's id: Asterisk itself refuses it a second time while the first one lives.
    The call goes through the dialplan's way out, which follows no forwarding.
    """
    ami.request(
        "Originate",
        ActionID=call.token,
        ChannelId=call.token,
        Channel=f"Local/{call.number}@{Context.DIAL}/n",
        Context=context.value,
        Exten=extension,
        Priority=1,
        CallerID="137 <137>",
        Timeout=(settings.ring_seconds + _LONGER_S) * 1000,
        Async="true",
    )


def token_of(channel_id: str) -> str:
    """The token to whose call a channel belongs: its Local channel's halves are TOKEN and TOKEN;2."""
    return channel_id.removesuffix(";2")
