"""Phones that know a desk's password dial into its room on the real Asterisk; the database says which may."""

import re
import socket
from uuid import uuid4

import pytest

from db.engine import reading, writing
from db.models import Desk
from hotline.people import desk_admission
from tests.kit.operator import ROOM, Operator
from tests.kit.process import until
from tests.kit.sip_digest import authorization
from tests.kit.system import System


@pytest.fixture
def operator(system: System) -> Operator:
    return system.operator()


class Intruder:
    """A phone of its own making, without sound. It offers nothing, so a browser's account takes it, too."""

    def __init__(self, system: System, account: str) -> None:
        self._server, self._account = system.settings.sip, account
        self._password = system.settings.secret_for(account)

    def dial(self, extension: str) -> int:
        """Return the final answer to an INVITE with the account's right password; a call is then ended."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind(("127.0.0.2", 0))
            wire.connect(tuple(self._server))
            wire.settimeout(20)
            call, uri = uuid4().hex, f"sip:{extension}@{self._server}"
            asked = self._ask(wire, "INVITE", uri, call, 1)
            shown = authorization(asked, "INVITE", uri, self._account, self._password)
            answer = self._ask(wire, "INVITE", uri, call, 2, shown)
            status = int(answer.split()[1])
            if status == 200:
                tag = re.search(r"\r\nTo:.*;tag=(\S+)", answer)
                assert tag
                self._ask(wire, "BYE", uri, call, 3, to=f";tag={tag[1]}")
            return status

    def _ask(
        self,
        wire: socket.socket,
        method: str,
        uri: str,
        call: str,
        number: int,
        shown: str = "",
        to: str = "",
    ) -> str:
        host, port = wire.getsockname()
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{uuid4().hex}",
            f"From: <sip:{self._account}@{self._server.host}>;tag=1",
            f"To: <{uri}>{to}",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{self._account}@{host}:{port}>",
            "Max-Forwards: 70",
            *([shown] if shown else []),
            "Content-Length: 0",
        ]
        wire.send("\r\n".join([*lines, "", ""]).encode())
        while True:
            answer = wire.recv(8192).decode()
            if answer.startswith("SIP/2.0 ") and f"CSeq: {number} " in answer and answer[8] != "1":
                return answer


def _in_room(system: System, operator: Operator) -> bool:
    with reading(system.engine) as session:
        return session.get_one(Desk, operator.desk).phone_connected


def test_password_of_a_desk_alone_opens_no_room(system: System, operator: Operator) -> None:
    for account in (f"desk-{operator.desk}", f"desk-{operator.desk}-sip"):
        assert Intruder(system, account).dial("1") == 403
        assert Intruder(system, account).dial("1" + "0" * 32) == 403
    assert not _in_room(system, operator)


def test_browsers_extension_opens_the_room_until_it_signs_out(system: System, operator: Operator) -> None:
    account = operator.http.get("/desk/phone").json()
    phone = Intruder(system, account["username"])
    assert phone.dial(account["extension"]) == 200
    assert operator.http.delete("/session").status_code == 204
    assert phone.dial(account["extension"]) == 403


def test_sip_phone_with_an_old_key_is_refused(system: System, operator: Operator) -> None:
    name, _, _ = operator.phone_account
    phone = Intruder(system, name)
    assert phone.dial(ROOM) == 200
    with writing(system.engine) as session:
        desk = session.get_one(Desk, operator.desk)
        desk_admission.renew_sip_key(session, desk, who="admin")
        key = desk.sip_key
    assert phone.dial(ROOM) == phone.dial("1") == 403
    assert phone.dial(f"1{key}") == 200


def test_desks_phone_waits_until_the_call_scripts_are_back(system: System, operator: Operator) -> None:
    name, _, _ = operator.phone_account
    system.kill("ivr")
    assert Intruder(system, name).dial(ROOM) == 200
    until(system.healthy, "the call scripts are back", 30)
