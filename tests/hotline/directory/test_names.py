"""User names of a directory: one person is one account, and looks like no other."""

import pytest

from hotline.directory.names import normalised


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
def test_given_one_name_when_it_is_written_in_another_way_then_it_is_the_same(typed: str, kept: str) -> None:
    assert normalised(typed) == kept
    assert normalised(kept) == kept


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
def test_given_what_reads_as_another_name_when_it_is_typed_then_it_is_none(typed: str) -> None:
    assert normalised(typed) == ""
