"""Open requests near a point."""

from math import cos, radians

import pytest
from sqlalchemy.orm import Session

from db.states import RequestState
from hotline.requests.places import Point
from hotline.requests.public.nearby import list_near
from tests.factories import a_request

HERE = Point(32.65, 51.67)
METRE = 1 / 111_195


def a_request_at(session: Session, north: float, east: float, state: RequestState = RequestState.NEW) -> int:
    at = {"latitude": HERE.latitude + north * METRE}
    at["longitude"] = HERE.longitude + east * METRE / cos(radians(HERE.latitude))
    return a_request(session, state, **at).id


@pytest.mark.parametrize(
    ("north", "east", "metres"),
    [(0, 0, 10), (0, 99, 100), (-99, 0, 100), (0, 101, None), (70, 70, 100), (72, 72, None), (21, 0, 30)],
)
def test_request_within_the_circle_is_found_with_its_distance(
    session: Session, north: float, east: float, metres: int | None
) -> None:
    id_ = a_request_at(session, north, east)
    found = [(each.request.id, each.metres) for each in list_near(session, 1, HERE, 100)]
    assert found == ([] if metres is None else [(id_, metres)])


def test_five_newest_open_requests_are_found(
    session: Session,
) -> None:
    open_ = [a_request_at(session, 0, 0) for _ in range(6)]
    open_.append(a_request_at(session, 0, 0, RequestState.REPLIED))
    for state in (RequestState.CLOSED, RequestState.REJECTED, RequestState.DUPLICATE):
        a_request_at(session, 0, 0, state)
    a_request(session, category=2, latitude=HERE.latitude, longitude=HERE.longitude)
    a_request(session)  # nobody knows where
    assert [each.request.id for each in list_near(session, 1, HERE, 100)] == open_[:1:-1]
