"""Histories of a line, with what each comes to, as the app's own check reads them (`meanwhile.test.ts`)."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import writing
from db.models import LedgerEntry, Registration
from db.states import Fact
from hotline.ledger import entries
from hotline.ledger.verify import verify
from hotline.line import fairness
from tests.factories import a_registration, a_round
from tests.kit.databases import on_one  # noqa: F401  (fixture)

_FILE = Path(__file__).parents[3] / "web/my/src/ledger/order-cases.json"
CASES: list[dict[str, Any]] = json.loads(_FILE.read_text())


def write_history(session: Session, case: dict[str, Any]) -> Registration:
    """Write the entries of a case, and the place that they are about; return that place."""
    rounds = {number: a_round(session) for number in sorted({each[3] for each in case["entries"]})}
    for id_, at, fact, round_id, registration_id, details in case["entries"]:
        entry = LedgerEntry(
            id=id_,
            at=datetime.fromisoformat(at),
            fact=Fact(fact),
            round_id=rounds[round_id].id,
            registration_id=registration_id,
            details=json.dumps(details, sort_keys=True, separators=(",", ":")),
        )
        entry.digest = entries.hash_entry(entry)
        session.add(entry)
    session.flush()
    last = entries.place(entries.list_by_registration(session, case["mine"])[-1])
    round_ = next(each for each in rounds.values() if each.id == last.round_id)
    decides = {name: value for name, value in last._asdict().items() if name != "round_id"}
    return a_registration(session, round_, id=case["mine"], **decides)


@pytest.mark.parametrize("case", CASES, ids=[case["given"] for case in CASES])
def test_history_is_judged_as_the_browser_judges_it(case: dict[str, Any], engine: Engine) -> None:
    with writing(engine) as session:
        standing = fairness.find_facts(session, write_history(session, case))
        told = (standing.called, standing.before, standing.unexplained)
        reasons = [call.reason for call in standing.explained]
    assert (*told, reasons) == (case["called"], case["before"], case["unexplained"], case["reasons"])
    passed = f"but {case['mine']} stood before it"
    is_wrong = any(passed in problem for problem in verify(engine).problems)
    assert is_wrong is (case["unexplained"] > 0), "the auditors' check follows the same rules"


def test_unexplained_call_before_fifty_others_is_counted(engine: Engine) -> None:
    """The page lists the newest fifty calls that need a reason; the count is over all of them."""
    found = next(case for case in CASES if case["reasons"] == ["none"] and case["mine"] == 7)
    *_, jumper = found["entries"]
    me = next(each for each in found["entries"] if each[4] == 7)
    called = [len(found["entries"]) + 1, me[1], "called", 1, 7, me[5] | {"state": "calling"}]
    others = [[called[0] + n, me[1], "called", 1, 100 + n, jumper[5]] for n in range(1, 51)]
    with writing(engine) as session:
        case = found | {"entries": [*found["entries"], called, *others]}
        standing = fairness.find_facts(session, write_history(session, case))
    assert (standing.called, standing.unexplained) == (51, 1)
    assert fairness.Reason.NONE not in {call.reason for call in standing.explained}
