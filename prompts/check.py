"""Checks of the rendered prompts."""

from pathlib import Path

from prompts import plan as plans
from prompts.plan import Take
from prompts.render import RECORDINGS, Manifest, is_current, list_missing
from prompts.spoken import PAUSE
from settings import Settings

LONGEST = 20.0
"""Seconds; nobody listens to a longer clip of speech."""
LONGEST_SLOW = 12.0
"""Seconds of a prompt that explains slowly, after a mistake."""


def check(settings: Settings, *, recordings: Path = RECORDINGS) -> list[str]:
    """Name every clip that is missing, stale, clipped, silent or too long, one a line.

    Also names recordings that are not used and a voice that could not be reached. Raises VoiceError
    if the file of a voice is missing.
    """
    manifest = Manifest.read(settings.prompts_dir)
    plan = plans.make(settings, recordings, manifest.gave_up, manifest.of_city)
    wrong = [problem for take in plan.takes for problem in _wrong(settings, manifest, take)]
    return [*wrong, *plan.problems]


def _wrong(settings: Settings, manifest: Manifest, take: Take) -> list[str]:
    # numpy is slow to import, and most importers of this module do not need it
    from prompts import sound  # noqa: PLC0415

    name = take.clip.name
    if lost := list_missing(settings, take):
        return [f"{name}: missing {', '.join(lost)}"]
    problems = []
    if not is_current(settings, manifest, take):
        problems.append("stale, its text, recording or voice has changed")
    try:
        samples, rate = sound.read((settings.prompts_dir / f"{name}.wav").read_bytes())
    except ValueError as error:
        return [f"{name}: {problem}" for problem in (*problems, str(error))]
    peak = sound.find_peak(samples)
    if peak > 10 ** ((sound.CEILING + 0.1) / 20):
        problems.append(f"clipped, a peak passes {sound.CEILING:.0f} dBFS")
    if peak < 0.01 and take.clip.id != PAUSE:
        problems.append("silent")
    longest = LONGEST_SLOW if take.clip.is_slow else LONGEST
    if take.clip.text and len(samples) > longest * rate:
        problems.append(f"{len(samples) / rate:.0f} s, longer than {longest:.0f} s")
    return [f"{name}: {problem}" for problem in problems]
