"""Routes that are built at their first request.

FastAPI analyses a route when it is declared, and again where its router is included. For three hundred routes
that is most of the start-up time, and most routes get no request that day.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Self

import fastapi
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name


class Route(APIRoute):
    """A route that knows only its path and methods; the first request or the API's document builds
    the rest.
    """

    def __init__(self, path: str, endpoint: Any, **how: Any) -> None:
        self._building, self._built = threading.RLock(), False
        self._how = how
        self.path, self.endpoint = path, endpoint
        self.name = how.get("name") or get_name(endpoint)
        self.methods = {each.upper() for each in how.get("methods") or ["GET"]}
        self.include_in_schema = how.get("include_in_schema", True)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)

    def __getattr__(self, name: str) -> Any:
        # Python calls this only for a missing attribute.
        own = self.__dict__
        if "_how" in own:
            with own["_building"]:
                if not own["_built"]:
                    self._built = True  # first, since building reads attributes
                    super().__init__(self.path, self.endpoint, **self._how)
                if name in own:
                    return own[name]
        raise AttributeError(name)

    def below(self, prefix: str, responses: Mapping[int | str, dict[str, Any]], **how: Any) -> Self:
        """Return this route under a `prefix`, with additional responses."""
        both = {**responses, **self._how["responses"]}
        return type(self)(prefix + self.path, self.endpoint, **{**self._how, **how, "responses": both})


class APIRouter(fastapi.APIRouter):
    """A router of routes that are built lazily."""

    def __init__(self, *, route_class: type[APIRoute] = Route, **how: Any) -> None:
        super().__init__(route_class=route_class, **how)

    def own_routes(self) -> Iterable[Route]:
        """Yield the router's routes; none is another router's."""
        for route in self.routes:
            assert isinstance(route, Route), route  # noqa: S101
            yield route
