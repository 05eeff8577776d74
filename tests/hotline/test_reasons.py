"""A published reason is given, and names nobody by number."""

import pytest

from hotline import reasons
from hotline.errors import Refused


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (" \n", "reason-missing"),
        ("شمارهٔ ۰۹۱۳۱۲۳۴۵۶۷", "reason-personal"),
        ("call 0913 123", "reason-personal"),
        ("x" * 501, "reason-long"),
    ],
)
def test_unfit_reason_is_refused(reason: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        reasons.check(reason)
    assert refused.value.code == code


def test_reason_on_several_lines_becomes_one() -> None:
    assert reasons.check(" بیماری\nدر ۲۰ آذر  ") == "بیماری در ۲۰ آذر"
