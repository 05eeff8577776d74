"""A code whose time is nearly over, that was replaced, or whose number wants no call: nobody is called."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from db.engine import now, writing
from db.models import CodeWay, OutboundCall
from hotline.citizens import code_calls, codes
from hotline.outbound import queue
from settings import Settings
from tests import factories as make
from tests.dialer.office import Office
from tests.kit.fake_manager import FakeManager


@pytest.mark.parametrize("why", ["too late", "replaced", "sms", "did not ask last time"])
def test_code_that_helps_nobody_is_not_called(
    office: Office, manager: FakeManager, settings: Settings, why: str
) -> None:
    number = make.a_number()
    with writing(office.engine) as session:
        sent = settings.model_copy(update={"sms_provider": "console"})
        way = CodeWay.SMS if why == "sms" else CodeWay.CALL
        if why == "did not ask last time":
            codes.ask(session, number, way, "fa", sent, browser=make.BROWSER)
            (due,) = queue.list_due(session, code_calls.CALLS, 1)
            placed = queue.claim(session, code_calls.CALLS, due)
            assert placed and placed.token
            code_calls.decline_calls(session, placed.token)
            queue.finish(session, placed.token)
        asked_for = codes.ask(session, number, way, "fa", sent, browser=make.BROWSER)
        if why == "too late":
            session.execute(update(OutboundCall).values(asked_at=now(session) - timedelta(seconds=215)))
        if why == "replaced":
            asked_for.ended_at = now(session)
    office.until_at_rest()
    assert manager.named("Originate") == []
