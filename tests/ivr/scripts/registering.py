"""Key 1 in tests: what is pressed and heard on the way to a place in a round."""

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.models import OfficialKind, Registration, Round
from db.states import Phase
from tests import factories as make

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
"""For what is said and keyed in; what is kept is shown on both databases."""

OWN = "+989131234567"
OTHER = "+989137654321"
INTRODUCED = ["greeting", "menu-english", "main-menu", "round-when"]
BEFORE_THE_PLACE = [*INTRODUCED, "confirm-number"]
"""The prompts before the place is kept."""
PERSON = ["operator-busy", "operator-registered", "ticket-again", "goodbye"]
"""The prompts of a caller whose keys do not help: an operator calls."""
TOLD = ["registered", "ticket-again", "ahead-none", "expectation", "will-call"]
ASKED = ["ask-subject", "message-offer"]
SAFE = [*BEFORE_THE_PLACE, *TOLD]
PATH = [*SAFE, *ASKED, "goodbye"]
START, RIGHT, ROADS, NO_MESSAGE = (
    ("main-menu", "1"),
    ("confirm-number", "1"),
    ("ask-subject", "1"),
    ("message-offer", "#"),
)
REST = [ROADS, NO_MESSAGE]
YES = [START, RIGHT, *REST]
FOUR = ["choices", *(f"subject-{n}" for n in range(1, 4)), "subject-others"]


def registrations(engine: Engine) -> list[Registration]:
    with reading(engine) as session:
        return list(session.scalars(select(Registration).order_by(Registration.id)))


def offer(engine: Engine, *kinds: OfficialKind | int) -> list[Round]:
    """Open rounds, one for each: an official of this kind, or the manager of this district."""
    made = []
    with writing(engine) as session:
        for kind in kinds:
            round_ = make.a_round(session, Phase.OPEN)
            if isinstance(kind, int):
                round_.official.kind, round_.official.district = OfficialKind.DISTRICT_MANAGER, kind
                round_.official.clip = f"office-district-{kind}"
            else:
                round_.official.kind = kind
            made.append(round_)
    return made


MAYOR, DEPUTY = OfficialKind.MAYOR, OfficialKind.DEPUTY
