"""The call that speaks a code for signing in, on the real Asterisk: what is heard lets in."""

import httpx

from db.engine import reading
from db.models import OutboundCall
from tests.kit.caller import Caller
from tests.kit.process import until
from tests.kit.system import System


def test_spoken_sign_in_code_lets_the_citizen_in(
    system: System,
) -> None:
    number = system.number()
    with (
        Caller(system, number, port=system.trunk_port) as phone,
        httpx.Client(base_url=f"{system.url}/api/v1", timeout=60) as page,
    ):
        assert page.post("/my/codes", json={"number": number, "by": "call"}).status_code == 202
        phone.wait_for_call(timeout=30)
        phone.answer()
        phone.at("code-call-question", "1")
        phone.at("code-call-goodbye")
        heard = phone.said({"code-call-digits", "ticket-again", *(f"digit-{n}" for n in range(10))})
        digits = heard.digits("code-call-digits.1")
        assert digits == heard.digits("ticket-again.1") and len(digits) == 6
        assert page.post("/my/sessions", json={"number": number, "code": digits}).status_code == 200
        assert page.get("/my").json()["places"] == []
        phone.wait_for("closed")

    def over() -> bool:
        with reading(system.engine) as session:
            called = session.query(OutboundCall.ended_at).filter_by(number=f"+98{number[1:]}")
            return called.scalar() is not None

    until(over, "the call is over", 30)
