"""Calls the desks' telephones that their people ask for; each is let into its room with a PIN."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.engine import reading, writing
from dialer.system_calls import SystemCalls
from dialplan.accounts import find_channel_desk
from dialplan.variables import Context
from hotline.desks import desk_phones
from hotline.trunk import call_caps


def find_phone_desk(channel: str, channel_id: str) -> int | None:
    """Return the desk of a phone's channel: a phone that dialled in, or a telephone that we called.

    Asterisk vouches for both: by the account in the channel's name, or by the id that we gave the channel.
    """
    dialled_in = find_channel_desk(channel)
    return desk_phones.find_desk(channel_id) if dialled_in is None else dialled_in


class DeskCalls(SystemCalls):
    """Calls to desks' telephones. AsteriskEvents handles the entry into the room, as for every phone."""

    context = Context.OFFICIAL

    def place_asked(self) -> None:
        """Call the telephones that people have asked for. Raises AmiError."""
        with reading(self._engine) as session:
            asked = desk_phones.list_requested(session, self._settings.node)
        for desk in asked:
            self._place(desk)

    def _place(self, desk: int) -> None:
        with writing(self._engine) as session:
            call = desk_phones.take_up(session, desk, self._settings)
        if isinstance(call, call_caps.Cap):
            self._caps.reached(call)
        if isinstance(call, call_caps.CallPermit):
            self._originate(call, extension=str(desk))

    def owns(self, token: str) -> bool:
        """Return whether a channel's id can be the token of such a call."""
        return desk_phones.find_desk(token) is not None

    def _end(self, session: Session, token: str, *, ours: bool) -> None:
        desk_phones.record_end(session, token)

    def on_the_phone(self, session: Session) -> dict[str, datetime]:
        """Return the tokens of the calls in progress, with the time when each was placed."""
        return desk_phones.list_in_progress(session)
