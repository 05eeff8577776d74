"""A node that is being drained says so to its Asterisk, for the SIP proxy's next callers."""

import pytest
from sqlalchemy import Engine

from addresses import Address
from db.engine import writing
from dialer.draining import Draining
from dialplan.variables import Variable
from hotline.nodes import leases, nodes
from settings import Settings


class Asterisk:
    """Its global variables."""

    def __init__(self) -> None:
        self.globals: dict[str, str] = {}
        self.told = 0

    def value(self, name: str) -> str:
        return self.globals.get(name, "")

    def request(self, name: str, *, Variable: str, Value: str) -> None:
        assert name == "Setvar"
        self.globals[Variable] = Value
        self.told += 1


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


def test_given_a_node_behind_a_proxy_when_it_is_drained_then_its_asterisk_knows_even_if_it_is_started_anew(
    settings: Settings, engine: Engine, asterisk: Asterisk
):
    behind = settings.model_copy(update={"sip_proxy": Address("192.0.2.20", 5060)})
    with writing(engine) as session:
        leases.take(session, behind)
    draining = Draining(behind, engine, asterisk)

    def look() -> str:
        draining._next_look = 0.0
        draining.tell()
        return asterisk.value(Variable.DRAINS)

    assert look() == "" and asterisk.told == 0
    with writing(engine) as session:
        nodes.drain(session, behind.node, who="administrator1")
    assert look() == "1"
    asterisk.globals.clear()
    assert look() == "1" and look() == "1" and asterisk.told == 2
    with writing(engine) as session:
        nodes.drain(session, behind.node, who="administrator1", drained=False)
    assert look() == ""


def test_given_a_node_without_a_proxy_when_it_is_drained_then_its_callers_stay(
    settings: Settings, engine: Engine, asterisk: Asterisk
):
    with writing(engine) as session:
        leases.take(session, settings)
        nodes.drain(session, settings.node, who="administrator1")
    Draining(settings, engine, asterisk).tell()
    assert asterisk.told == 0
