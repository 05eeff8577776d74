"""`python -m ops.bundle.sbom PACKAGES ASTERISK VOICES`: the components of a bundle as CycloneDX."""

import gzip
import json
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from hotline.version import VERSION

ROOT = Path(__file__).parents[2]
_PINNED = re.compile(r"^([\w.-]+)==([^ \\;]+)((?:.*\\\n)*.*)", re.MULTILINE)
_CHANGED = re.compile(r"\S+ \(([^)]+)\)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def list_components(packages: Path, asterisk: Path, voices: Path) -> Bom:
    """Return the components of one bundle: of Debian, Asterisk, Python and the pages, and the voices."""
    made = Bom()
    made.metadata.component = whole = Component(
        name="hotline137", version=VERSION, type=ComponentType.APPLICATION
    )
    parts = [*_of_debian(packages), *_of_asterisk(asterisk), *_of_python(), *_of_pages(), *_voices(voices)]
    made.components.update(parts)
    made.register_dependency(whole, parts)
    return made


def _of_debian(packages: Path) -> Iterator[Component]:
    for entry in packages.read_text("utf-8").split("\n\n"):
        said = dict(re.findall(r"^([\w-]+): (.*)$", entry, re.MULTILINE))
        if said and said["Package"] != "hotline137":
            yield _library("deb", said["Package"], said["Version"], [said["SHA256"]], "debian")


def _of_asterisk(root: Path) -> Iterator[Component]:
    """Yield the packages in the folder that ops.asterisk unpacked; their changelogs have the versions."""
    for file in sorted(root.glob("usr/share/doc/*/changelog.Debian.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as text:
            said = _CHANGED.match(text.readline())
        if said:
            yield _library("deb", file.parent.name, said[1], [], "debian")


def _of_python() -> Iterator[Component]:
    for name, version, rest in _PINNED.findall((ROOT / "requirements.lock").read_text("utf-8")):
        yield _library("pypi", name, version, _HASH.findall(rest))


def _of_pages() -> Iterator[Component]:
    """Yield the packages that the built pages may contain, without build tools."""
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
    for path, entry in locked["packages"].items():
        if path and not entry.get("dev") and "version" in entry:
            *_, name = path.partition("node_modules/")[2].split("node_modules/")
            space, _, short = name.rpartition("/")
            integrity = entry.get("integrity", "")
            digests = [b64decode(integrity[7:]).hex()] if integrity.startswith("sha512-") else []
            yield _library("npm", short, entry["version"], digests, space or None)


def _voices(folder: Path) -> Iterator[Component]:
    for file in sorted(folder.iterdir()):
        digest = HashType(alg=HashAlgorithm.SHA_256, content=sha256(file.read_bytes()).hexdigest())
        yield Component(name=file.name, type=ComponentType.MACHINE_LEARNING_MODEL, hashes=[digest])


def _library(kind: str, name: str, version: str, digests: list[str], space: str | None = None) -> Component:
    url = PackageURL(kind, space, name, version)
    # A Python package has a file for each kind of machine, so the used one's hash is unknown here.
    algorithm = HashAlgorithm.SHA_512 if kind == "npm" else HashAlgorithm.SHA_256
    hashes = [HashType(alg=algorithm, content=digest) for digest in digests] if len(digests) == 1 else []
    return Component(
        name=name,
        group=space,
        version=version,
        purl=url,
        bom_ref=str(url),
        type=ComponentType.LIBRARY,
        hashes=hashes,
    )


def main() -> None:
    """Write the document to standard output."""
    packages, asterisk, voices = map(Path, sys.argv[1:])
    sys.stdout.write(JsonV1Dot6(list_components(packages, asterisk, voices)).output_as_string(indent=1))


if __name__ == "__main__":
    main()
