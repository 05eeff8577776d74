"""The caller's number by each trunk's rule: on the real Asterisk, with any headers of a packet."""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from dialplan.variables import Variable
from tests.kit.lone_asterisk import LoneAsterisk

pytestmark = pytest.mark.timeout(120)

ASSERTED, PAI, RPID, FROM, DIGITS = (f"127.0.0.{number}" for number in (21, 22, 23, 24, 25))
TRUNKS = {
    ASSERTED: 'caller = "asserted"\ndid = "02191001234"',
    PAI: 'caller = "pai"\nnumbers = "e164"',
    RPID: 'caller = "rpid"',
    FROM: 'caller = "from"',
    DIGITS: 'caller = "from"\nnumbers = "digits"',
}
SDP = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 40000 RTP/AVP 8\n"
_PAI, _RPID = "P-Asserted-Identity", "Remote-Party-ID"
NOBODY = "unknown"


class Call:
    """One that a trunk brings."""

    def __init__(self, trunk: socket.socket, to: tuple[str, int], dialled: str, said: str) -> None:
        self._trunk, self._to, self._dialled = trunk, to, dialled
        self._by = trunk.getsockname()[0]
        self._from, self._call, self._theirs = f"<sip:{said}@{self._by}>;tag={uuid4().hex}", uuid4().hex, ""
        self._number = 0

    def invite(self, **headers: str) -> bytes:
        """Ask for it, or anew in the middle of it; the final answer's number."""
        self._number += 1
        more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
        self._send("INVITE", f"{more}Content-Type: application/sdp\n", SDP)
        while (text := self._trunk.recv(4096)).split(b" ", 2)[1] < b"200":
            pass
        self._theirs = text.decode().partition("\r\nTo: ")[2].partition("\r\n")[0].partition(">")[2]
        self._send("ACK", "", "")
        return text.split(b" ", 2)[1]

    def _send(self, method: str, more: str, body: str) -> None:
        lines = [
            f"{method} sip:{self._dialled}@{self._to[0]}:{self._to[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._by}:9;rport;branch=z9hG4bK{uuid4().hex}",
            f"From: {self._from}",
            f"To: <sip:{self._dialled}@127.0.0.1>{self._theirs}",
            f"Contact: <sip:{self._by}:9>",
            f"Call-ID: {self._call}",
            f"CSeq: {self._number} {method}",
            "Max-Forwards: 70",
            f"{more}Content-Length: {len(body) + body.count(chr(10))}",
        ]
        self._trunk.sendto("\n".join([*lines, "", body]).replace("\n", "\r\n").encode(), self._to)


class Calls:
    """The callers, as the script that answers for 137 hears them."""

    def __init__(self, asterisk: LoneAsterisk, scripts: socket.socket) -> None:
        self._asterisk, self._scripts = asterisk, scripts

    def heard(self, by: str, *, said: str = "09130000000", to: str = "137", **headers: str) -> str | None:
        """The caller's number where this trunk brings the call; None: it brings none."""
        (heard,) = [*self.heard_each_time(by, headers, said=said, to=to)] or [None]
        return heard

    def heard_each_time(
        self, by: str, *headers: Mapping[str, str], said: str = "09130000000", to: str = "137"
    ) -> Iterator[str]:
        """The caller's number at first, and after each time that the trunk asks for the call anew."""
        first, *later = headers
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trunk:
            trunk.bind((by, 0))
            trunk.settimeout(20)
            call = Call(trunk, tuple(self._asterisk.settings.sip), to, said)
            if call.invite(**first) != b"200":
                return
            script, _ = self._scripts.accept()
            with script:
                told = b""
                while b"\n\n" not in told:
                    told += script.recv(4096)
                lines = told.decode().splitlines()
                yield from (line[14:] for line in lines if line.startswith("agi_callerid: "))
                for again in later:
                    assert call.invite(**again) == b"200"
                    script.sendall(b"GET FULL VARIABLE ${CALLERID(num)}\n")
                    yield script.recv(4096).decode().partition("(")[2].partition(")")[0]
                script.sendall(f"SET VARIABLE {Variable.FINISHED} 1\n".encode())  # else it is asked once more
                script.recv(100)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    path: Path = tmp_path_factory.mktemp("trunks") / "trunks.toml"
    path.write_text(
        "\n".join(
            f'[t{n}]\nprofile = "address"\nhost = "{address}:9"\nqualify_seconds = 0\n{keys}'
            for n, (address, keys) in enumerate(TRUNKS.items())
        )
    )
    with (
        LoneAsterisk(HOTLINE_TRUNKS=str(path)) as asterisk,
        socket.create_server(asterisk.settings.agi) as scripts,
    ):
        scripts.settimeout(20)
        assert not [line for line in asterisk.log().splitlines() if "ERROR" in line or "WARNING" in line]
        yield Calls(asterisk, scripts)


def test_trunk_rule_reads_the_number_of_its_header_alone(
    calls: Calls,
) -> None:
    both = {_PAI: '"A" <sip:09131111111@x>', _RPID: "<sip:09132222222@x>;party=calling;screen=yes"}
    both = {name.replace("-", "_"): value for name, value in both.items()}
    assert calls.heard(ASSERTED, **both) == "09131111111"
    assert calls.heard(ASSERTED) == "09130000000"
    assert calls.heard(PAI, **both) == "09131111111"
    assert calls.heard(RPID, **both) == "09132222222"
    assert calls.heard(FROM, **both) == "09130000000"
    assert [calls.heard(strict) for strict in (PAI, RPID)] == [NOBODY, NOBODY], "nobody vouches"
    assert calls.heard(PAI, P_Asserted_Identity="<sip:+989131111111@x>") == "+989131111111"
    assert calls.heard(PAI, P_Asserted_Identity="sip:09131111111@x") == "09131111111"


@pytest.mark.parametrize(
    "value",
    [
        '"x>" <sip:09131111111@x>',
        '"<sip:09139999999@y>" <sip:09131111111@x>',
        '"a\\"<sip:09139999999@y>" <sip:09131111111@x>',
        "<sip:${SHELL(reboot)}@x>",
        '<sip:"0913"@x>',
        "<sip:0913" + "1" * 2000 + "@x>",
        "<<sip:09139999999@y>>",
        "",
    ],
)
def test_forged_strict_header_gives_no_foreign_number(calls: Calls, value: str) -> None:
    for by, name in ((PAI, "P_Asserted_Identity"), (RPID, "Remote_Party_ID")):
        assert calls.heard(by, **{name: value}) in (None, NOBODY, "09131111111", "0913", "0913" + "1" * 2000)


def test_number_asserted_during_a_call_changes_nothing(
    calls: Calls,
) -> None:
    mine, anothers = (
        {_PAI.replace("-", "_"): f"<sip:{number}@x>"} for number in ("09131111111", "09132222222")
    )
    for by in (ASSERTED, PAI):
        assert list(calls.heard_each_time(by, mine, anothers)) == ["09131111111"] * 2


def test_whole_number_without_a_plus_gets_one(
    calls: Calls,
) -> None:
    for said, heard in {
        "989131111111": "+989131111111",
        "493012345678": "+493012345678",
        "09131111111": "09131111111",
        "+989131111111": "+989131111111",
        "32212345": "32212345",
    }.items():
        assert calls.heard(DIGITS, said=said) == heard
        assert calls.heard(FROM, said=said) == said


def test_trunk_number_is_accepted_from_its_trunk_only(calls: Calls) -> None:
    assert calls.heard(ASSERTED, to="02191001234") == "09130000000"
    assert calls.heard(FROM, to="02191001234") is None
    assert calls.heard(FROM, to="09139998877") is None, "its last figures are no 137"
