"""Routes are built when they are first asked for."""

from fastapi.testclient import TestClient

from api import app
from api.routes import APIRouter, Route


def made() -> tuple[Route, Route]:
    router = APIRouter(tags=["things"], responses={418: {"description": "a teapot"}})

    @router.get("/things/{thing}")
    def show(thing: int) -> int:
        return thing

    @router.get("/wrong")
    def wrong(thing: object) -> int:
        return hash(thing)

    first, second = (each.below("/v1", {"default": {"description": "else"}}) for each in router.own_routes())
    return first, second


def test_given_two_routes_when_one_is_asked_for_then_that_one_is_built_and_no_other() -> None:
    asked, other = made()
    served = app.FastAPI()
    served.router.routes.extend([other, asked])
    client = TestClient(served)
    assert client.get("/v1/nowhere").status_code == 404
    assert "dependant" not in vars(asked)
    assert client.get("/v1/things/7").json() == 7
    assert client.get("/v1/things/x").status_code == 422
    assert "dependant" in vars(asked)
    assert "dependant" not in vars(other)


def test_given_a_route_below_another_address_when_looked_at_then_it_has_all_that_was_said_of_it() -> None:
    route, _ = made()
    assert (route.path, route.name, route.methods) == ("/v1/things/{thing}", "show", {"GET"})
    assert set(route.responses) == {418, "default"}
    assert route.tags == ["things"]
    assert not hasattr(route, "nothing")


def test_given_all_that_is_answered_when_each_is_built_then_all_are_declared_right() -> None:
    routes = app._everywhere()
    assert len(routes) > 300
    for route in routes:
        assert route.unique_id, route.path
