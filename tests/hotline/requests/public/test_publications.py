"""Releases by a person of the office, and their withdrawal."""

import secrets
from contextlib import suppress

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import now
from db.models import AuditEntry, Picture, PictureKind, PublicPicture, Release, Request
from db.states import RequestState
from hotline.citizens import erasure
from hotline.errors import Refused
from hotline.pictures.decoding import Area
from hotline.pictures.stores import File
from hotline.requests import closing, lifecycle
from hotline.requests.public import figures, publications
from hotline.requests.public.publications import Shown
from tests.factories import a_request

S = RequestState
POINT = {"latitude": 32.65, "longitude": 51.67}


def a_picture(session: Session, request: Request, name: str, position: int = 1) -> str:
    session.add(
        Picture(
            **{"id": name * 32, "kind": PictureKind.BEFORE, "request_id": request.id, "position": position},
            **{
                "width": 1,
                "height": 1,
                "size": 1,
                "checksum": "",
                "made_at": now(session),
                "number": request.number,
            },
        )
    )
    session.flush()
    return name * 32


def release(
    session: Session, request: Request, *shown: str, with_point: bool = False, text: str = "چراغ"
) -> None:
    copies = [
        Shown(name, [Area(0, 0, 9, 9)], File(f"{name[0] * 31}{secrets.token_hex(1)[0]}", ""))
        for name in shown
    ]
    publications.release(session, request.id, text=text, shown=copies, with_point=with_point, who="mod")


def seen(session: Session) -> list[tuple[int, str, list[str]]]:
    session.expire_all()
    originals = dict(session.execute(select(PublicPicture.id, PublicPicture.picture_id)).all())
    return [
        (each.request.id, each.release.text, [originals[name] for name in each.pictures])
        for each in publications.list_published(session)
    ]


def public(session: Session) -> list[str]:
    """The originals of the copies that are shown to whoever asks for them."""
    found = []
    for copy in session.scalars(select(PublicPicture).order_by(PublicPicture.picture_id)):
        with suppress(Refused):
            found.append((publications.get_public_file(session, copy.id), copy.picture_id)[1])
    return found


def test_released_words_alone_are_public_and_audited(
    session: Session,
) -> None:
    request, other = a_request(session, **POINT), a_request(session)
    one, two = a_picture(session, request, "a"), a_picture(session, request, "b", 2)
    assert seen(session) == [] and public(session) == []
    release(session, request, one, two, with_point=True)
    release(session, other)
    assert seen(session) == [(other.id, "چراغ", []), (request.id, "چراغ", [one, two])]
    release(session, request, two, text="چراغ خیابان")
    assert seen(session)[1] == (request.id, "چراغ خیابان", [two])
    assert public(session) == [two]
    for _ in range(2):
        publications.withdraw(session, request.id, who="mod")
    assert seen(session) == [(other.id, "چراغ", [])]
    assert public(session) == [] and publications.find(session, request.id) is None
    deeds = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert deeds == ["request-released"] * 3 + ["request-withdrawn"]


def test_unfit_release_is_refused(
    session: Session,
) -> None:
    request, other = a_request(session), a_request(session)
    theirs = a_picture(session, other, "c")
    for code, deed in (
        ("reason-missing", {"text": " "}),
        ("reason-personal", {"text": "زنگ بزنید 0913 123 4567"}),
        ("place-missing", {"with_point": True}),
    ):
        with pytest.raises(Refused, match=code):
            release(session, request, **deed)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="picture-unknown"):
        release(session, request, theirs)
    with pytest.raises(Refused, match="wrong-state"):
        release(session, a_request(session, S.DUPLICATE))
    with pytest.raises(Refused, match="not-found"):
        publications.release(session, 404404, text="x", shown=(), with_point=False, who="mod")
    assert seen(session) == [] and public(session) == []


def test_released_duplicate_is_hidden_until_separated(
    session: Session,
) -> None:
    first, second = a_request(session), a_request(session)
    name = a_picture(session, second, "d")
    release(session, second, name)
    closing.merge(session, second.id, first.id, who="u")
    assert seen(session) == [] and public(session) == []
    closing.undo_merge(session, second, who="u")
    assert public(session) == [name]


def test_deletion_hides_location_and_pictures_of_a_release(
    session: Session,
) -> None:
    request = a_request(session, **POINT)
    assert request.number
    name = a_picture(session, request, "e")
    release(session, request, name, with_point=True)
    erasure.delete_citizen(session, request.number, who="citizen", give_up=True)
    assert seen(session) == [(request.id, "چراغ", [])] and public(session) == []
    (listed,) = publications.list_published(session)
    assert not listed.release.with_point
    assert listed.request.latitude is not None, "it is still to be mended"
    for of_theirs in ({"with_point": True}, {"shown": [name]}):
        with pytest.raises(Refused, match="was deleted"):
            release(session, request, *of_theirs.pop("shown", []), **of_theirs)
    release(session, request, text="چراغ خیابان")
    assert seen(session) == [(request.id, "چراغ خیابان", [])]


def test_releases_are_paged_and_counted_by_district(
    session: Session,
) -> None:
    for district, state in ((3, S.NEW), (3, S.CLOSED), (4, S.REFERRED), (None, S.NEW)):
        release(session, a_request(session, state, district=district))
    a_request(session, district=3)
    found = publications.list_published(session, district=3)
    assert [each.request.state for each in found] == [S.CLOSED, S.NEW]
    older = publications.list_published(session, district=3, before=found[0].request.id)
    assert [each.request.id for each in older] == [found[1].request.id]
    assert set(publications.count_by_district(session)) == {(3, 2, 1), (4, 1, 1), (None, 1, 1)}


def test_map_and_figures_agree_on_what_is_solved(session: Session) -> None:
    for state in S:
        if state is not S.DUPLICATE:
            release(session, a_request(session, state))
    (on_map,) = publications.count_by_district(session)
    figures.keep(session, figures.count(session))
    counted = figures.read(session, 30, least=0).all
    assert counted and counted.figures.received == on_map.released
    assert counted.figures.solved + counted.figures.rejected + on_map.unsolved == on_map.released


def test_withdrawn_anonymous_report_stays_unanswerable(session: Session) -> None:
    """A process of the version before has released it."""
    request = a_request(session, S.REPLIED, number=None, call_id="137-1")
    assert lifecycle.may_answer(session, request, None)
    released = Release(request_id=request.id, text="چراغ", with_point=False, who="mod", at=now(session))
    session.add(released)
    session.flush()
    publications.withdraw(session, request.id, who="mod")
    assert not lifecycle.may_answer(session, request, None)
