"""Others' requests near a point, and following one instead of reporting it again."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from api.access import InForce, Reading, Writing
from api.ids import QueryId
from api.limits import Guesses
from api.my import my_schemas as wire
from api.my.reports import Tracking
from api.my.signed_in import Acting, Citizen
from db import models
from hotline.citizens import following
from hotline.clock import CITY
from hotline.requests import categories, places, spoken_replies
from hotline.requests.places import Point
from hotline.requests.public.nearby import list_near as find_near

router = APIRouter(prefix="/my/requests", tags=["my"])


def _guess(request: Request, citizen: Citizen) -> Iterator[None]:
    """Count an unknown tracking number as a guess: a known one shows how a stranger's request stands."""
    guesses: Guesses = request.app.state.follow_guesses
    with guesses.guess(citizen.number):
        yield


GUESS = [Depends(_guess, scope="function")]
"""Paid before the transaction begins and given back after it: SQLite has one writer at a time."""

Latitude = Annotated[float, Query(alias="lat", ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Query(alias="lon", ge=-180, le=180, allow_inf_nan=False)]


@router.get("/near")
def list_near(
    *,
    request: Request,
    category: QueryId,
    latitude: Latitude,
    longitude: Longitude,
    citizen: Citizen,
    session: Reading,
    settings: InForce,
) -> list[wire.NearRequest]:
    """Open requests of this category around this point, newest first, with their public fields only."""
    looks: Guesses = request.app.state.near_looks
    looks.take(citizen.number)
    point = Point(latitude, longitude)
    places.check(point, "", settings.bounds)
    of = categories.get_active(session, category)
    found = find_near(session, of.id, point)
    mine = following.find_followed_among(session, citizen.number, [each.request.id for each in found])
    return [
        wire.NearRequest(
            **_public(each.request, of),
            metres=each.metres,
            mine=each.request.number == citizen.number,
            followed=each.request.id in mine,
        )
        for each in found
    ]


@router.get("/followed")
def list_followed(citizen: Citizen, session: Reading) -> list[wire.FollowedRequest]:
    """Requests that I follow, newest first."""
    return [_followed(each) for each in following.list_followed(session, citizen.number)]


@router.post("/{tracking}/follow", dependencies=GUESS)
def follow(tracking: Tracking, body: wire.Follow, citizen: Citizen, session: Acting) -> wire.FollowedRequest:
    """Follow a request: a text message tells me how it ends. A duplicate's first request counts. Repeating is
    harmless.
    """
    return _followed(following.follow(session, citizen.number, tracking, body.language))


@router.delete("/{tracking}/follow", status_code=204, dependencies=GUESS)
def leave(tracking: Tracking, citizen: Citizen, session: Writing) -> None:
    """Stop following a request."""
    following.leave(session, citizen.number, tracking)


def _followed(each: following.Followed) -> wire.FollowedRequest:
    return wire.FollowedRequest(
        **_public(each.request, each.category),
        reply=spoken_replies.find_standing_reply(each.request),
        since=each.follower.at,
    )


def _public(request: models.Request, category: models.Category) -> dict[str, Any]:
    return {
        "tracking": request.tracking,
        "category_fa": category.name_fa,
        "category_en": category.name_en,
        "district": request.district,
        "reported_on": request.made_at.astimezone(CITY).date(),
        "state": request.state,
    }
