"""Render the prompts: each clip from its best source, levelled, as files Asterisk plays.

`build` makes only what changed; `check` names what is wrong with what is there. In the folder of
prompts lie `<language>/<clip>.alaw`, `.ulaw` and `.wav`, and `moh/hold` in the same three; the
manifest tells what each was made from, and `.takes` keeps the sounds before levelling.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from prompts import catalogue, sources
from prompts.sources import Clip, Source, VoiceError
from prompts.spoken import PAUSE
from settings import Settings

RECORDINGS = Path(__file__).with_name("recordings")
"""Where studio recordings lie: `<language>/<clip id>.wav`."""
SUFFIXES = (".alaw", ".ulaw", ".wav")
LONGEST = 20.0
"""Seconds; nobody listens to a longer clip of speech."""
_Manifest = dict[str, dict[str, object]]
"""By clip name, the key and the gain its files were written with."""
_MANIFEST = "manifest.json"
_TAKES = ".takes"


@dataclass(frozen=True)
class Report:
    """What a build did. Clips are named `<language>/<clip id>`."""

    rendered: tuple[str, ...]
    """Those made anew by their source."""
    written: tuple[str, ...]
    """Those whose files were written: made anew, levelled anew, or their files were missing."""
    clips: int
    """How many there are in all."""
    gains: dict[str, float]
    """The gain of each voice in dB, by `<language>/<source>`; empty if nothing was to do."""
    seconds: float


@dataclass(frozen=True)
class _Take:
    """A clip, the source that makes it, and a key that changes whenever its sound would."""

    clip: Clip
    source: Source
    key: str

    @property
    def voice(self) -> str:
        return f"{self.clip.folder}/{self.source.name}"


def build(
    settings: Settings,
    *,
    progress: Callable[[int, int], None] | None = None,
    recordings: Path = RECORDINGS,
) -> Report:
    """Bring every clip of every language up to date in `settings.prompts_dir`.

    `progress(done, total)` is called after each clip that a source makes. Each file is replaced
    whole, so calls may play while this runs. Raises VoiceError if a clip cannot be made; what was
    made until then is kept for the next build.
    """
    started = time.monotonic()
    root = settings.prompts_dir
    takes = _plan(recordings)
    manifest = _manifest(root)
    rendered: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    gains: dict[str, float] = {}
    if not all(_is_current(root, manifest, take) for take in takes):
        rendered = _make(root, takes, progress)
        written, gains = _level(root, takes, manifest)
    return Report(rendered, written, len(takes), gains, time.monotonic() - started)


def check(settings: Settings, *, recordings: Path = RECORDINGS) -> list[str]:
    """Name every clip that is missing, stale, clipped, silent or longer than 20 s, one a line.

    Also names a language in which sentences would be joined from the clips of two voices.
    """
    # numpy is slow to import: a build with nothing to do goes without
    from prompts import sound  # noqa: PLC0415

    root = settings.prompts_dir
    manifest = _manifest(root)
    takes = _plan(recordings)
    problems: list[str] = []
    for take in takes:
        name = take.clip.name
        missing = [suffix for suffix in SUFFIXES if not _exists(root / f"{name}{suffix}")]
        if missing:
            problems.append(f"{name}: missing {', '.join(missing)}")
            continue
        if not _is_current(root, manifest, take):
            problems.append(f"{name}: stale, its text, recording or voice has changed")
        try:
            samples, rate = sound.read((root / f"{name}.wav").read_bytes())
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        peak = sound.peak(samples)
        if peak > 10 ** ((sound.CEILING + 0.1) / 20):
            problems.append(f"{name}: clipped, a peak passes {sound.CEILING:.0f} dBFS")
        if peak < 0.01 and take.clip.id != PAUSE:
            problems.append(f"{name}: silent")
        if take.clip.text and len(samples) > LONGEST * rate:
            problems.append(f"{name}: {len(samples) / rate:.0f} s, longer than {LONGEST:.0f} s")
    return problems + _mixed_voices(takes)


def _plan(recordings: Path) -> list[_Take]:
    """Return a take for every clip there is to be."""
    clips = [Clip("moh", "hold", "")]
    for language in catalogue.languages():
        clips += [Clip(language, PAUSE, ""), Clip(language, "beep", "")]
        clips += [Clip(language, clip, text) for clip, text in catalogue.texts(language).items()]
    # what the signal path does to a clip is part of what its sound depends on
    path = Path(__file__).with_name("sound.py").read_bytes()
    order = sources.in_order(recordings)
    takes = []
    for clip in clips:
        source, recipe = next(
            (source, recipe) for source in order if (recipe := source.recipe(clip)) is not None
        )
        parts = (path, source.name.encode(), str(clip.is_sentence).encode(), recipe)
        takes.append(_Take(clip, source, hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]))
    return takes


def _make(root: Path, takes: Iterable[_Take], progress: Callable[[int, int], None] | None) -> tuple[str, ...]:
    """Let the sources make the takes that are not kept, and return the names of their clips."""
    (root / _TAKES).mkdir(parents=True, exist_ok=True)
    new = [take for take in takes if not _exists(_kept(root, take))]
    # clips that sound the same are made once
    once = {take.key: take for take in new}.values()
    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(lambda take: _record(root, take), once), 1):
            if progress:
                progress(done, len(once))
    return tuple(take.clip.name for take in new)


def _record(root: Path, take: _Take) -> None:
    from prompts import sound  # noqa: PLC0415  as in check

    try:
        samples, rate = sound.read(take.source.sound(take.clip))
        if take.source.is_voice:
            samples = sound.telephone(samples, rate, sentence=take.clip.is_sentence)
    except ValueError as error:
        raise VoiceError(f"{take.clip.name} from {take.source.name}: {error}") from None
    _write(_kept(root, take), sound.lossless(samples))


def _level(root: Path, takes: list[_Take], manifest: _Manifest) -> tuple[tuple[str, ...], dict[str, float]]:
    """Write the files that are not as they should be; return their names and the voices' gains.

    A voice's gain comes from all its clips, so when one of them changes all are measured again.
    That needs no voice: the takes are kept as they were before levelling. Reading them costs a
    fraction of a second, and the result never depends on the order in which clips came.
    """
    from prompts import sound  # noqa: PLC0415  as in check

    gains: dict[str, float] = {}
    entries: _Manifest = {}
    written = []
    for voice, group in groupby(sorted(takes, key=lambda take: take.voice), lambda t: t.voice):
        own = [(take, sound.read(_kept(root, take).read_bytes())[0]) for take in group]
        if own[0][0].source.is_voice:
            gains[voice] = sound.gain(samples for _, samples in own)
        for take, samples in own:
            name = take.clip.name
            entry: dict[str, object] = {"key": take.key, "gain": gains.get(voice, 0.0)}
            entries[name] = entry
            if manifest.get(name) == entry and _is_current(root, manifest, take):
                continue
            for suffix, content in sound.encode(sound.level(samples, gains.get(voice, 0.0))).items():
                _write(root / f"{name}{suffix}", content)
            written.append(name)
    _write(root / _MANIFEST, json.dumps(entries, indent=1, sort_keys=True).encode())
    keys = {take.key for take in takes}
    for path in (root / _TAKES).glob("*.wav"):
        if path.stem not in keys:
            path.unlink(missing_ok=True)
    return tuple(written), gains


def _mixed_voices(takes: Iterable[_Take]) -> list[str]:
    """Name the languages whose joined sentences would change voice halfway."""
    voices: dict[str, set[str]] = {}
    for take in takes:
        if take.clip.text and take.clip.id not in catalogue.prompt_ids(take.clip.folder):
            voices.setdefault(take.clip.folder, set()).add(take.source.name)
    return [
        f"{language}: sentences are joined from {' and '.join(sorted(names))}; record every "
        "fragment, number and office, or none"
        for language, names in voices.items()
        if len(names) > 1
    ]


def _is_current(root: Path, manifest: _Manifest, take: _Take) -> bool:
    return manifest.get(take.clip.name, {}).get("key") == take.key and all(
        _exists(root / f"{take.clip.name}{suffix}") for suffix in SUFFIXES
    )


def _manifest(root: Path) -> _Manifest:
    try:
        entries: _Manifest = json.loads((root / _MANIFEST).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return entries


def _kept(root: Path, take: _Take) -> Path:
    return root / _TAKES / f"{take.key}.wav"


def _exists(path: Path) -> bool:
    """Whether the file is there and whole enough: a crash of the machine can leave an empty one."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes) -> None:
    """Replace a file whole; whoever plays it meanwhile hears the old one to its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)
