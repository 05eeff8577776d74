"""Seals, and what strangers can prove with them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import reading, writing
from hotline.errors import Refused
from hotline.ledger import entries, seals
from tests.hotline.ledger.tampering import problems
from tests.kit.databases import on_one  # noqa: F401  (fixture)
from tests.kit.story import Story

DOCUMENT = Path(__file__).parents[3] / "docs" / "ledger.md"


def test_ledger_without_news_gets_no_second_seal(story: Story, engine: Engine) -> None:
    with writing(engine) as session:
        assert seals.seal(session) is None
    story.registers()
    assert story.seals().size == story.seals().size == 1


@pytest.fixture(scope="module")
def stranger() -> dict[str, Callable[..., Any]]:
    """The verifier that the document shows, run as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    functions: dict[str, Callable[..., Any]] = {}
    exec(code, functions)
    return functions


def test_documented_verifier_tells_true_from_false_proofs(
    story: Story, engine: Engine, stranger: dict[str, Callable[..., Any]]
) -> None:
    sizes = range(1, 20)
    for _ in sizes:
        story.registers()
        made = story.seals()
        with reading(engine) as session:
            lines = [entries.format_canonical(entry) for entry in entries.list_entries(session, 0, 100)]
            assert stranger["root"](lines).hex() == made.root
            for number, each in enumerate(lines, 1):
                proof = seals.prove_inclusion(session, number)
                assert stranger["included"](each, proof)
                assert not stranger["included"](each + b" ", proof)
            for old in range(1, made.size + 1):
                proof = seals.prove_consistency(session, old, made.size)
                assert stranger["consistent"](proof)
                assert not stranger["consistent"](proof | {"old_root": "00" * 32})
    assert problems(engine) == []


def test_unsealed_entry_has_no_proof(story: Story, engine: Engine) -> None:
    story.registers()
    with reading(engine) as session:
        for entry, code in ((1, "not-sealed-yet"), (2, "not-found")):
            with pytest.raises(Refused) as refused:
                seals.prove_inclusion(session, entry)
            assert refused.value.code == code
