"""Examples of request bodies in the API's document; they stand in examples.toml."""

import tomllib
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "examples.toml"


def declare(document: dict[str, Any]) -> None:
    """Add its example to the schema of each request body."""
    examples, schemas = tomllib.loads(_FILE.read_text("utf-8")), document["components"]["schemas"]
    for methods in document["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                if example := examples.get(name.removesuffix("-Input")):
                    schemas[name]["examples"] = [example]
