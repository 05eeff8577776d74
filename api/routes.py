"""Routes that are built when they are first asked for.

FastAPI works out what a route takes and answers when it is declared, and once more where its router is
included. For three hundred routes that is most of a start's work, and most of them nobody asks for that day.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Self

import fastapi
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name


class Route(APIRoute):
    """Knows what it must to be found; all else is built with the first request, or for the API's document."""

    def __init__(self, path: str, endpoint: Any, **how: Any) -> None:
        self._building, self._built = threading.RLock(), False
        self._how = how
        self.path, self.endpoint = path, endpoint
        self.name = how.get("name") or get_name(endpoint)
        self.methods = {each.upper() for each in how.get("methods") or ["GET"]}
        self.include_in_schema = how.get("include_in_schema", True)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)

    def __getattr__(self, name: str) -> Any:
        # Only what is not there yet comes here.
        own = self.__dict__
        if "_how" in own:
            with own["_building"]:
                if not own["_built"]:
                    self._built = True  # first: what is built asks for what it has
                    super().__init__(self.path, self.endpoint, **self._how)
                if name in own:
                    return own[name]
        raise AttributeError(name)

    def below(self, prefix: str, responses: Mapping[int | str, dict[str, Any]], **how: Any) -> Self:
        """The same at an address below `prefix`, with these answers besides its own."""
        both = {**responses, **self._how["responses"]}
        return type(self)(prefix + self.path, self.endpoint, **{**self._how, **how, "responses": both})


class APIRouter(fastapi.APIRouter):
    """A router of such routes."""

    def __init__(self, *, route_class: type[APIRoute] = Route, **how: Any) -> None:
        super().__init__(route_class=route_class, **how)

    def own_routes(self) -> Iterable[Route]:
        """All of them. None is another router's."""
        for route in self.routes:
            assert isinstance(route, Route), route  # noqa: S101
            yield route
