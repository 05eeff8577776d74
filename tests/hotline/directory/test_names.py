"""User names of a directory: one person is one account, and looks like no other."""

import pytest

from hotline.directory.names import normalize


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ali.karimi", "ali.karimi"),
        (" Ali.KARIMI ", "ali.karimi"),
        ("ali-k_2@city.example", "ali-k_2@city.example"),
        ("علی.کریمی", "علی.کریمی"),
        ("علي.كريمي", "علی.کریمی"),
        ("ａｄｍｉｎ", "admin"),
        ("کارمند۱۲", "کارمند12"),
    ],
)
def test_variant_spelling_is_the_same_name(typed: str, kept: str) -> None:
    assert normalize(typed) == kept
    assert normalize(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "аdmin",  # its first letter is Cyrillic
        "admin\u200b",
        "ad\u202emin",
        "ali karimi",
        "ali*",
        "ali)(uid=*",
        "ali\0",
        "علیali",
        "علی\u200cرضا",
        "..",
        "x" * 65,
        "αlpha",
    ],
)
def test_lookalike_name_is_refused(typed: str) -> None:
    assert normalize(typed) == ""
