"""Ids in a path, a query and a body. Each is a row's number."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

PathId = Annotated[int, Path(ge=1, lt=2**31)]
QueryId = Annotated[int, Query(ge=1, lt=2**31)]
BodyId = Annotated[int, Field(ge=1, lt=2**31)]
