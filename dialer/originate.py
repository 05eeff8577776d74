"""The one way in which this system calls anybody."""

from dialer.ami import Ami
from dialplan.variables import Context
from settings import Settings

_LONGER_S = 5
"""The dialplan's own ringing time ends first, and knows why."""


def originate(
    ami: Ami, settings: Settings, token: str, number: str, context: Context, *, extension: str = "s"
) -> None:
    """Call the E.164 `number` and, when it answers, run `context`. Raises AmiError if Asterisk refuses.

    The token is the channel's id: Asterisk itself refuses it a second time while the first one lives.
    The call goes through the dialplan's way out, which follows no forwarding.
    """
    ami.request(
        "Originate",
        ActionID=token,
        ChannelId=token,
        Channel=f"Local/{number}@{Context.DIAL}/n",
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
