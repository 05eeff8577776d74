"""Codes of refusals by rules."""

from collections.abc import Callable

import pytest

from hotline.errors import Refused


def refusal(act: Callable[..., object], *args: object, **values: object) -> str:
    """The code with which `act` refuses; the test fails if it does not."""
    with pytest.raises(Refused) as refused:
        act(*args, **values)
    return refused.value.code
