"""Asterisk's reports of the trunk, unasked and asked: calls stop, and flow again."""

from datetime import timedelta

import pytest

from db.engine import now, reading, writing
from db.models import Heartbeat, PlacedCall
from db.states import CallbackState, Outcome, RegistrationState
from dialer import trunk, trunks
from hotline import heartbeats
from hotline.nodes import draining
from hotline.trunk import circuit_breaker, selection
from settings import Settings
from tests.dialer.failing_trunk import down, fails, hall_of_failures, head, opened, probe_due, who
from tests.dialer.hall import Hall
from tests.hotline.nodes.conftest import a_node
from tests.kit.fake_manager import FakeManager

__all__ = ["hall_of_failures"]

pytestmark = [pytest.mark.parametrize("backend", ["sqlite"]), pytest.mark.usefixtures("quick")]

C, O, R = CallbackState, Outcome, RegistrationState  # noqa: E741


def test_unreachable_trunk_is_probed_with_the_head(hall: Hall, manager: FakeManager) -> None:
    for status in ("Reachable", "Unreachable"):
        manager.event("ContactStatus", AOR="trunk-alive", ContactStatus=status, URI="sip:192.0.2.1")
    hall.until(lambda: down(hall))
    hall.wanted = 5
    for count in (1, 2, 3, 4):
        probe_due(hall)
        hall.until(lambda: len(manager.named("Originate")) == count)  # noqa: B023
        assert who(hall, manager.named("Originate")[-1]) == hall.line[0]
        fails(hall, manager, 0)


def test_trunk_status_event_stops_and_resumes_calls(hall: Hall, manager: FakeManager) -> None:
    def tells(status: str, aor: str = "trunk-alive") -> None:
        manager.event("ContactStatus", AOR=aor, ContactStatus=status, URI="sip:192.0.2.1")

    def down() -> bool:
        with reading(hall.engine) as session:
            return circuit_breaker.find_outage(session) is not None

    tells("Reachable")
    tells("Unreachable")
    hall.until(down)
    hall.wanted = 1
    tells("Reachable", aor="desk-1")  # a desk's phone
    hall.until_at_rest()
    assert (manager.named("Originate"), down()) == ([], True)
    tells("Reachable")
    hall.until(lambda: manager.named("Originate"))
    assert not down()


def test_silent_trunk_is_probed_with_the_passed_over_head(hall: Hall, manager: FakeManager) -> None:
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Reachable")
    before = opened(hall, manager)
    assert head(hall).not_before is not None
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Unreachable")
    hall.until(lambda: head(hall).not_before is None)
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Reachable")
    hall.until(lambda: len(manager.named("Originate")) > before)
    assert who(hall, manager.named("Originate")[-1]) == hall.line[0]


@pytest.mark.parametrize(("was", "now_is"), [("Reachable", "Unreachable"), ("Unreachable", "Reachable")])
def test_reconnection_takes_the_present_trunk_status(
    hall: Hall, manager: FakeManager, was: str, now_is: str
) -> None:
    for status in ("Reachable", was):
        manager.event("ContactStatus", AOR="trunk-alive", ContactStatus=status)
    hall.until(lambda: (down(hall) is not None) == (was == "Unreachable"))
    manager.cut()
    manager.trunk_is = now_is  # which nobody hears
    hall.until(lambda: (down(hall) is not None) == (now_is == "Unreachable"))


def test_new_dialer_asks_for_the_trunk_status(hall: Hall, manager: FakeManager) -> None:
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Reachable")
    hall.until_at_rest()
    manager.trunk_is = "Unreachable"
    hall.restart()
    hall.until(lambda: down(hall) == circuit_breaker.TRUNK)


def test_event_beside_the_answer_outranks_it(hall: Hall, manager: FakeManager) -> None:
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Reachable")
    hall.until_at_rest()
    manager.trunk_is = "Unreachable"
    manager.after["Getvar"] = lambda: manager.event(
        "ContactStatus", AOR="trunk-alive", ContactStatus="Reachable"
    )
    hall.restart()
    hall.until_at_rest()
    assert down(hall) is None


def test_unknown_trunk_status_lets_calls_go_on(hall: Hall, manager: FakeManager) -> None:
    manager.refused["Getvar"] = "Permission denied"
    hall.restart()
    hall.dials()
    assert down(hall) is None


@pytest.mark.parametrize("silent", [True, False])
def test_ring_cut_by_a_silent_trunk_is_free(hall: Hall, manager: FakeManager, silent: bool) -> None:
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Reachable")
    token = hall.brings(C.RINGING)
    if silent:
        manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Unreachable")
        hall.until(lambda: down(hall) == "trunk")

    manager.refuses(token, 180)
    hall.until(lambda: hall.state(token) is C.CLOSED)

    assert hall.callback(token).outcome is (O.FAILED if silent else O.NO_ANSWER)
    assert head(hall).attempts == (0 if silent else 1)
    with reading(hall.engine) as session:
        call = session.get(PlacedCall, token)
        assert call and call.ours is silent


def test_starting_ivr_is_an_error_only_after_a_while(
    hall: Hall, manager: FakeManager, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> list[tuple[str, str]]:
        return [(r.levelname, r.getMessage()) for r in caplog.records if r.getMessage().startswith("calls: ")]

    caplog.set_level("INFO")
    with writing(hall.engine) as session:
        heartbeats.beat(session, "ivr")
        session.get_one(Heartbeat, "ivr").at = now(session) - timedelta(hours=8)
    hall.restart()
    hall.until_at_rest()
    assert (down(hall), said()) == ("ivr", [])
    monkeypatch.setattr(trunk, "_STARTS_S", 0.0)
    hall.until(lambda: said() == [("ERROR", "calls: ivr")])
    with writing(hall.engine) as session:
        heartbeats.beat(session, "ivr")
    hall.until(lambda: said() == [("ERROR", "calls: ivr"), ("INFO", "calls: up")])


def of_nodes(hall: Hall, **answers: bool | None) -> None:
    """Store the nodes' reports of their trunks."""
    with writing(hall.engine) as session:
        for name, each in answers.items():
            draining.tell_trunk(session, name, answers=each)


def said(hall: Hall) -> bool | None:
    with reading(hall.engine) as session:
        return draining.find_trunk_answer(session, "main")


@pytest.mark.parametrize("sip", [0, 180])
def test_trunk_reachable_from_another_node_keeps_calls_flowing(
    hall: Hall, manager: FakeManager, settings: Settings, sip: int
) -> None:
    with writing(hall.engine) as session:
        a_node(session, settings, "another")
    of_nodes(hall, another=True)
    hall.until_at_rest()
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Reachable")
    hall.until(lambda: said(hall) is True)
    token = hall.brings(C.RINGING) if sip else hall.dials()
    manager.trunk_is = "Unreachable"
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Unreachable")
    hall.until(lambda: said(hall) is False)
    manager.refuses(token, sip)
    hall.until(lambda: hall.state(token) is C.CLOSED)
    hall.until_at_rest()
    assert hall.callback(token).outcome is O.FAILED, "free of charge"
    with reading(hall.engine) as session:
        assert down(hall) is None and circuit_breaker.is_answering_options(session) is True
        assert not circuit_breaker.has_failures(session, circuit_breaker.TRUNK), (
            "what fails here is not the trunk's fault"
        )
        assert not selection.has_failures(session, "trunk")
    of_nodes(hall, another=False)
    hall.until(lambda: down(hall) == circuit_breaker.TRUNK)


def test_follower_reports_the_trunk_of_its_node_alone(
    hall: Hall, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trunks, "_ASKED_S", 3600.0)
    leads = True
    hall.restart(lambda: leads)
    hall.until_at_rest()
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Reachable")
    hall.until(lambda: said(hall) is True)
    leads = False
    manager.trunk_is = "Unreachable"
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Unreachable")
    hall.until(lambda: said(hall) is False)
    hall.until_at_rest()
    assert down(hall) is None
    leads = True
    hall.until(lambda: down(hall) == circuit_breaker.TRUNK)


def test_trunk_that_never_answered_reports_nothing(hall: Hall, manager: FakeManager) -> None:
    manager.event("ContactStatus", AOR="trunk-alive", ContactStatus="Unreachable")
    hall.until_at_rest()
    assert said(hall) is None
    with writing(hall.engine) as session:  # another node's dialer has
        selection.record_options(session, "trunk", yes=True)
    for status, word in (("Unreachable", False), ("Reachable", True), ("NonQualified", None)):
        manager.event("ContactStatus", AOR="trunk-alive", ContactStatus=status)
        hall.until(lambda word=word: said(hall) is word)
