"""An operator's sight of the API, at a desk of a running system."""

from typing import TYPE_CHECKING

import httpx

from db import events
from db.engine import writing
from db.models import Desk
from dialplan.accounts import DESK_EXTENSION
from hotline.people import desk_admission
from tests.kit.phone import Phone
from tests.kit.process import until
from tests.kit.sip_digest import SilentPhone

if TYPE_CHECKING:
    from tests.kit.system import System

PASSWORD = "correct horse 137"
_SIP_KEY = "13700137"
ROOM = DESK_EXTENSION + _SIP_KEY
"""The number that a desk's SIP phone dials."""


class Operator:
    """An operator's sight of the API; `phone` is for the desk's phone, where a test gives it one."""

    phone: Phone

    def __init__(self, system: "System", username: str, desk: int) -> None:
        self.username = username
        self.desk = desk
        self._system = system
        # The server ends a connection on which nothing was asked for 5 s: no request is to meet that end.
        kept = httpx.Limits(keepalive_expiry=2)
        self.http = httpx.Client(base_url=f"{system.url}/api/v1", timeout=30, limits=kept)
        self.http.post("/session", json={"username": username, "password": PASSWORD}).raise_for_status()

    @property
    def phone_account(self) -> tuple[str, str, str]:
        """User, password and registrar of the desk's SIP phone, which the desk has from now on."""
        return self.account_at(str(self._system.settings.sip))

    def account_at(self, server: str) -> tuple[str, str, str]:
        """The same at this node's Asterisk, once it knows the password."""
        with writing(self._system.engine) as session:
            desk = session.get_one(Desk, self.desk)
            desk.phone, desk.sip_key = "sip", _SIP_KEY
            events.append_desk(session, desk.id, "account")
        name = f"desk-{self.desk}-sip"

        def is_known() -> bool:
            with writing(self._system.engine) as session:
                desk = session.get_one(Desk, self.desk)
                account = desk_admission.find_sip_account(session, desk, self._system.settings, who="admin")
            password[:] = [account.password]
            return SilentPhone(server, name, account.password).is_known()

        password: list[str] = []
        until(is_known, f"{server} knows the password of {name}", 30)
        return name, password[0], server

    def phone_connected(self) -> bool:
        """Whether the desk's phone is in its room."""
        return bool(self.http.get("/me").json()["desk"]["phone_connected"])

    def claim(self, round_id: int) -> int:
        """Take the next citizen; gives the callback's id.

        Whoever has just hung up is believed to be on the line for up to a second, and not called.
        """
        answers: list[httpx.Response] = []

        def somebody() -> bool:
            answers.append(self.http.post(f"/rounds/{round_id}/claims"))
            return answers[-1].status_code != httpx.codes.NO_CONTENT

        until(somebody, f"somebody of round {round_id} is due", 10, every=0.2)
        assert answers[-1].status_code == httpx.codes.CREATED, answers[-1].text
        return int(answers[-1].json()["id"])

    def call(self, callback_id: int) -> None:
        """Have the citizen called, as soon as Asterisk has seen that a phone is there: they come and go."""

        def asked() -> bool:
            answer = self.http.post(f"/callbacks/{callback_id}/call")
            if answer.status_code == 409 and answer.json()["code"] == "line-down":
                return False
            assert answer.status_code == 202, answer.text
            return True

        until(asked, "the trunk is there", 15, every=0.2)

    def hangup(self, callback_id: int) -> None:
        """Have the call ended."""
        answer = self.http.post(f"/callbacks/{callback_id}/hangup")
        assert answer.status_code == 202, answer.text

    def returned(self, callback_id: int) -> None:
        """Give the citizen back to the line without a call."""
        answer = self.http.put(f"/callbacks/{callback_id}/outcome", json={"outcome": "returned", "note": ""})
        assert answer.status_code == 200, answer.text

    def wait_for(self, callback_id: int, *states: str, timeout: float = 40.0) -> str:
        """Wait until the callback is in one of the states; gives its outcome, or the state."""

        def there() -> bool:
            return self._system.callback(callback_id).state in states

        until(there, f"callback {callback_id} is {' or '.join(states)}", timeout)
        callback = self._system.callback(callback_id)
        return str(callback.outcome or callback.state)
