"""Rendering of prompts: each clip from its source, levelled, as files that Asterisk plays.

The folder of prompts holds `<language>/<clip>` and `moh/hold`, each in every codec. The manifest says how
each was made; `.takes` keeps the sounds before levelling.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from prompts import plan as plans
from prompts.plan import Take
from prompts.sources import VoiceError
from prompts.voices import Unreachable
from settings import Settings
from settings.asterisk_files import READABLE

RECORDINGS = Path(__file__).with_name("recordings")
"""The folder of studio recordings: `<language>/<clip id>.wav`."""
CODECS = ("alaw", "g722", "ulaw", "wav")
"""The codecs that can be written; each is the file's suffix."""
_ALWAYS = {"alaw", "wav"}  # phones in Iran speak alaw; browsers and checks read wav
_TAKES = ".takes"


@dataclass(frozen=True)
class Report:
    """The result of a build. Clips are named `<language>/<clip id>`."""

    rendered: tuple[str, ...]
    """Clips that their source made again."""
    written: tuple[str, ...]
    """Clips with newly written files: made or levelled again, or files were missing."""
    clips: int
    """The number of all clips."""
    voices: tuple[str, ...]
    """The voices in use, as `<language>/<source>`."""
    notes: tuple[str, ...]
    """Voices that are switched on or recorded but not in use, and why."""
    seconds: float


@dataclass
class Manifest:
    """How the files in the folder of prompts were made."""

    clips: dict[str, str] = field(default_factory=dict)
    """The key of each clip's files, by clip name."""
    gave_up: dict[str, str] = field(default_factory=dict)
    """The reason why a switched-on voice does not speak, by language."""
    of_city: dict[str, str] = field(default_factory=dict)
    """The clips with the city's name or numbers, as in `plan.Plan`."""

    @classmethod
    def read(cls, root: Path) -> "Manifest":
        """Read the manifest; an empty one if it is missing or of another version."""
        try:
            return cls(**json.loads(_manifest(root).read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return cls()

    def write(self, root: Path) -> None:
        """Replace the manifest atomically."""
        replace(_manifest(root), json.dumps(vars(self), indent=1, sort_keys=True).encode())


def build(
    settings: Settings,
    *,
    progress: Callable[[int, int], None] | None = None,
    recordings: Path = RECORDINGS,
) -> Report:
    """Bring every clip of every language up to date in `settings.prompts_dir`.

    `progress(done, total)` is called after each clip that a source makes. Each file is replaced atomically,
    so calls may play meanwhile. If a voice cannot be reached, espeak-ng speaks the whole language, and the
    report says why. Raises VoiceError if a clip cannot be made; the next build uses what was made until then.
    """
    started = time.monotonic()
    root = settings.prompts_dir
    manifest = Manifest.read(root)
    gave_up: dict[str, str] = {}
    rendered: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    while True:  # once more for each language with an unreachable voice
        plan = plans.make(settings, recordings, gave_up, manifest.of_city)
        if all(is_current(settings, manifest, take) for take in plan.takes):
            if plan.of_city != manifest.of_city:
                Manifest(manifest.clips, gave_up, dict(plan.of_city)).write(root)
            break
        try:
            rendered = _make(root, plan.takes, progress)
        except Unreachable as error:
            gave_up[error.language] = str(error)
            continue
        made = Manifest({take.clip.name: take.key for take in plan.takes}, gave_up, dict(plan.of_city))
        written = _level(settings, plan.takes, manifest, made)
        break
    notes = (*plan.notes, *plan.problems)
    speaking = tuple(sorted({take.voice for take in plan.takes if take.source.is_voice}))
    return Report(rendered, written, len(plan.takes), speaking, notes, time.monotonic() - started)


def list_codecs(settings: Settings) -> tuple[str, ...]:
    """Return the codecs in which every clip is written."""
    spoken = {codec for trunk in settings.trunks for codec in trunk.codecs}
    return tuple(sorted(_ALWAYS | (spoken & set(CODECS))))


def is_current(settings: Settings, manifest: Manifest, take: Take) -> bool:
    """Return whether a clip's files are there, made as planned."""
    return manifest.clips.get(take.clip.name) == take.key and not list_missing(settings, take)


def list_missing(settings: Settings, take: Take) -> list[str]:
    """Return the codecs in which a clip has no file."""
    path = settings.prompts_dir / take.clip.name
    return [codec for codec in list_codecs(settings) if not _exists(_file(path, codec))]


def _make(root: Path, takes: Iterable[Take], progress: Callable[[int, int], None] | None) -> tuple[str, ...]:
    """Let the sources make the takes that are missing, and return the names of their clips."""
    (root / _TAKES).mkdir(parents=True, exist_ok=True)
    new = [take for take in takes if not _exists(_kept(root, take))]
    # Clips with the same sound are made once.
    once = {take.key: take for take in new}.values()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(lambda take: _record(root, take), once), 1):
            if progress:
                progress(done, len(once))
    return tuple(take.clip.name for take in new)


def _record(root: Path, take: Take) -> None:
    # numpy is slow to import, and a build with nothing to do does not need it
    from prompts import sound  # noqa: PLC0415

    try:
        samples, rate = sound.read(take.source.sound(take.clip))
        if take.source.is_voice:
            samples = sound.trim(samples, rate, sentence=take.clip.is_sentence)
            rate = sound.WIDE_RATE
    except ValueError as error:
        raise VoiceError(f"{take.clip.name} from {take.source.name}: {error}") from None
    replace(_kept(root, take), sound.encode_wav(samples, rate))


def _level(settings: Settings, takes: Sequence[Take], manifest: Manifest, made: Manifest) -> tuple[str, ...]:
    """Write the outdated files from the takes that are kept, and return their clips' names."""
    root = settings.prompts_dir
    old = [take for take in takes if not is_current(settings, manifest, take)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda take: _encode(settings, take), old))
    made.write(root)
    keys = {take.key for take in takes}
    for path in (root / _TAKES).glob("*.wav"):
        if path.stem not in keys:
            path.unlink(missing_ok=True)
    return tuple(take.clip.name for take in old)


def _encode(settings: Settings, take: Take) -> None:
    from prompts import sound  # noqa: PLC0415  as above

    path = settings.prompts_dir / take.clip.name
    samples, rate = sound.read(_kept(settings.prompts_dir, take).read_bytes())
    files = sound.encode(samples, rate, list_codecs(settings), level=take.source.is_voice)
    for codec, content in files.items():
        replace(_file(path, codec), content)
    for codec in set(CODECS) - files.keys():  # an old file would go on speaking the old text
        _file(path, codec).unlink(missing_ok=True)


def _manifest(root: Path) -> Path:
    return root / "manifest.json"


def _kept(root: Path, take: Take) -> Path:
    return root / _TAKES / f"{take.key}.wav"


def _file(path: Path, codec: str) -> Path:
    return path.with_name(f"{path.name}.{codec}")  # a fragment's name has a dot already


def _exists(path: Path) -> bool:
    """Return whether the file exists and is not empty: a crash of the machine can leave an empty one."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def replace(path: Path, content: bytes) -> None:
    """Replace a file atomically; a call that plays the old one hears it to its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.chmod(READABLE)
    new.replace(path)
