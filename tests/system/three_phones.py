"""A citizen, a desk and a third phone on the real Asterisk: who hears whom."""

from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import select

from db.engine import reading
from db.models import AuditEntry, Role
from tests.kit import sound
from tests.kit.caller import Caller
from tests.kit.operator import ROOM, Operator
from tests.kit.phone import Account, Phone
from tests.kit.process import until
from tests.kit.sound import a_tone
from tests.kit.system import System

CITIZEN_HZ, DESK_HZ, THIRD_HZ = 440, 1000, 660
HEARD, SILENT = 0.1, 0.01
"""The share of the last sound that is a heard tone beside another one, and an unheard one."""
_LAST_S = 1.0


class Three:
    """A citizen and a desk in conversation, and a third person with a phone in their own room."""

    def __init__(self, system: System, round_id: int, folder: Path, stack: ExitStack, third: Role) -> None:
        self.system, self.desk, self.third = system, system.operator(), system.operator(third)
        self._folder, self._stack = folder, stack
        self.desk_phone = self.sits_down(self.desk, DESK_HZ)
        self.third_phone = self.sits_down(self.third, THIRD_HZ)
        number = system.number()
        tone = a_tone(folder, CITIZEN_HZ)
        self.citizen = stack.enter_context(Caller(system, number, port=system.trunk_port, sound=tone))
        system.register(round_id, number)
        self.callback = self.desk.claim(round_id)
        self.desk.call(self.callback)
        self.citizen.wait_for_call()
        self.citizen.answer()
        self.citizen.at("callback-intro", "1")
        self.desk.wait_for(self.callback, "talking")

    def sits_down(self, operator: Operator, hz: int) -> Phone:
        """A phone of this tone in the person's room."""
        tone, account = a_tone(self._folder, hz), Account(*operator.phone_account)
        phone = self._stack.enter_context(Phone(account=account, sound=tone))
        phone.dial(f"sip:{ROOM}@{self.system.settings.sip}")
        until(operator.phone_connected, "the phone is in its room")
        return phone

    def hears(self, how: str) -> None:
        """The third, a supervisor, wishes to take part."""
        body = {"desk_id": self.desk.desk, "how": how}
        answer = self.third.http.put("/desk/hears", json=body)
        assert answer.status_code == 200, answer.text

    def until_heard(self, who: Phone, *tones: int) -> None:
        """Until exactly these tones are in the last second that `who` heard."""

        def so() -> bool:
            last = who.recording().part(-_LAST_S)
            levels = {hz: sound.tone_level(last, hz) for hz in (CITIZEN_HZ, DESK_HZ, THIRD_HZ)}
            return last.seconds > _LAST_S / 2 and all(
                level > HEARD if hz in tones else level < SILENT for hz, level in levels.items()
            )

        sound.until_heard(so, f"{who.number} hears {tones}", 40)

    def audited(self) -> list[tuple[str, str]]:
        """Return the audit log of this conversation, and of the third person's actions."""
        subject = f"callback {self.callback}"
        with reading(self.system.engine) as session:
            found = session.scalars(select(AuditEntry).where(AuditEntry.subject == subject))
            return [(e.action, e.reason) for e in found if e.who == self.third.username]

    def another_dialer_than(self, dead: int) -> bool:
        try:
            return self.system.pid("dialer") != dead
        except LookupError:
            return False

    def gone(self) -> bool:
        """Whether the third's phone has left, and hears nobody."""
        desk = self.third.http.get("/me").json()["desk"]
        return desk["hears_desk_id"] is None and not desk["phone_connected"]

    def back(self) -> bool:
        """Whether the third hears nobody, the phone back at work."""
        desk = self.third.http.get("/me").json()["desk"]
        return desk["hears_desk_id"] is None and desk["phone_connected"]
