"""The nine subjects: renamed, left out of the menu, never all of them."""

import pytest
from sqlalchemy.orm import Session

from hotline import subjects
from hotline.errors import Refused
from hotline.line import caller_context


def test_inactive_subject_is_not_offered(session: Session) -> None:
    assert subjects.list_offered(session) == "123456789"
    renamed = subjects.change(session, 4, who="pr", name_fa="بوستان‌ها", offered=False)
    session.commit()
    assert (renamed.name_fa, renamed.name_en) == ("بوستان‌ها", "Parks and green space")
    assert caller_context.offer(session).subjects == "12356789"
    for key in (1, 2, 3, 5, 6, 7, 8):
        subjects.change(session, key, who="pr", offered=False)
    session.commit()
    for key, values, code in (
        (9, {"offered": False}, "subject-last"),
        (1, {"name_en": " "}, "subject-values"),
        (10, {"name_en": "x"}, "not-found"),
    ):
        with pytest.raises(Refused) as refused:
            subjects.change(session, key, who="pr", **values)
        assert refused.value.code == code
        session.rollback()
    assert subjects.list_offered(session) == "9"
