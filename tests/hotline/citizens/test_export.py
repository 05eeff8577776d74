"""A citizen's account and its export: all of the number's data, and nothing of others."""

import json

from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import (
    AuditEntry,
    OutboxMessage,
    Request,
)
from db.states import (
    RequestState,
    RequestStep,
)
from hotline.citizens import account_contents
from hotline.requests import lifecycle
from settings import Settings
from tests import factories as make
from tests.hotline.citizens.a_life import NUMBER, OTHER, a_life


def test_export_holds_a_citizens_data_and_nothing_of_others(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        live = make.a_round(session)
        make.keyed_in(session, live, NUMBER, asked_by=OTHER)
        mine = session.scalars(select(Request).where(Request.number == NUMBER)).first()
        assert mine is not None
        lifecycle.log(session, mine, RequestStep.REFERRED, "office", "میان خودمان")
        lifecycle.log(session, mine, RequestStep.NEWS, "office", "در دست کار است")
        found = account_contents.export(session, NUMBER, who="command line")
        told = len(session.scalars(select(OutboxMessage).where(OutboxMessage.to == NUMBER)).all())
        asked = session.scalars(select(AuditEntry).where(AuditEntry.action == "citizen-exported")).one()
    exported = json.dumps(found, ensure_ascii=False)
    assert OTHER not in exported and OTHER[3:] not in exported
    assert found["number"] == NUMBER and asked.subject == "citizen +989…37"
    assert [len(found[part]) for part in ("places", "requests", "messages", "sessions")] == [4, 3, told, 1]
    assert "در دست کار است" in exported and "میان خودمان" not in exported
    assert "از کوچهٔ خود گفت" in exported and "چراغ کوچه خاموش است" in exported
    calls = [call for place in found["places"] for call in place["calls"]]
    assert [call["recorded_seconds"] for call in calls] == [3]
    assert len(found["called_as_third_person"]) == 1


def test_account_shows_the_numbers_own_current_data(engine: Engine, settings: Settings) -> None:
    a_life(engine, settings)
    with writing(engine) as session:
        first = make.a_request(session, RequestState.REPLIED, number=OTHER)
        same = RequestState.DUPLICATE
        make.a_request(session, same, number=NUMBER, duplicate_of_id=first.id)
        mine = account_contents.list_requests(session, NUMBER)
        waiting = [place.place for place in account_contents.list_places(session, NUMBER)]
    assert len(mine) == 4 and {each.request.number for each in mine} == {NUMBER}
    assert (mine[0].state, mine[0].reply, mine[0].asked) == (RequestState.REPLIED, first.reply, False)
    assert sorted(place or 0 for place in waiting) == [0, 0, 3]
    with reading(engine) as session:
        assert account_contents.list_places(session, OTHER) == []
        assert lifecycle.find_latest(session, OTHER)
