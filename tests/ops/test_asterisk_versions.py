"""An Asterisk that can hang is named at the start, with what helps."""

from pathlib import Path

import pytest

from ops.asterisk import Asterisk


def of_version(told: str) -> Asterisk:
    return Asterisk(("echo", told), Path("modules"), Path("data"))


@pytest.mark.parametrize("version", ["20.20.1", "21.12.2", "22.10.1~dfsg+~cs6.17", "23.4.0"])
def test_given_a_version_that_can_hang_when_it_is_found_then_it_is_named(version: str) -> None:
    concern = of_version(f"Asterisk {version}").concern()

    assert concern.startswith(f"Asterisk {version.partition('~')[0]} can hang (asterisk#1946, ")
    assert "22.11" in concern


@pytest.mark.parametrize("version", ["20.21.0", "22.11.0~dfsg", "23.5.1", "24.0.0"])
def test_given_a_version_that_is_mended_when_it_is_found_then_there_is_nothing_to_say(version: str) -> None:
    assert of_version(f"Asterisk {version}").concern() == ""
