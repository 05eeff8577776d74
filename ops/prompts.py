"""Commands hotline137 prompts: the prompts that callers hear."""

import sys
from typing import Annotated

import typer

from ops.terminal import fail, load_settings

app = typer.Typer(no_args_is_help=True, help="The prompts that callers hear.")
_Everybody = Annotated[bool, typer.Option("--everybody", help="Only prompts that nearly every caller hears.")]


@app.command()
def build() -> None:
    """Render missing and changed prompts."""
    from prompts.render import build as build_all
    from prompts.sources import VoiceError

    try:
        report = build_all(load_settings(), progress=_progress)
    except VoiceError as error:
        raise fail(error) from None
    for note in report.notes:
        typer.secho(note, fg="yellow", err=True)
    typer.echo(f"{report.clips} clips, {len(report.written)} written, {report.seconds:.1f} s")


@app.command()
def check() -> None:
    """List missing, stale, clipped and overlong prompts; exit 1 if there are any."""
    from prompts.check import check as check_all
    from prompts.sources import VoiceError

    try:
        wrong = check_all(load_settings())
    except VoiceError as error:
        raise fail(error) from None
    if wrong:
        raise fail("\n".join(wrong))


@app.command()
def listen(
    prompt: Annotated[str, typer.Argument(help="The id of a prompt or a clip.", metavar="ID")],
    language: str = "fa",
) -> None:
    """Play a prompt with examples in its slots; without a player, print where its sound is."""
    from prompts import listen as player
    from prompts.catalogue import PromptError

    try:
        path = player.join(load_settings(), language, prompt)
    except PromptError as error:
        raise fail(error) from None
    if not player.play(path):
        typer.echo(path)


@app.command()
def length(language: str = "fa") -> None:
    """Print the seconds of each rendered prompt, and the sum of each section."""
    from prompts.catalogue import PromptError
    from prompts.lengths import list_lengths

    sums: dict[str, float] = {}
    try:
        for section, prompt, seconds in list_lengths(load_settings(), language):
            sums[section] = sums.get(section, 0) + seconds
            typer.echo(f"{seconds:6.1f}  {prompt}")
    except PromptError as error:
        raise fail(error) from None
    for section, seconds in sums.items():
        typer.echo(f"{seconds:6.1f}  = {section}")


@app.command()
def script(language: str = "fa", *, everybody: _Everybody = False) -> None:
    """Print the script for a recording studio: id, text, and where it is heard."""
    from prompts import script as studio
    from prompts.catalogue import PromptError
    from prompts.render import RECORDINGS

    try:
        for line in studio.write(language, load_settings().of_city, RECORDINGS, everybody=everybody):
            typer.echo(line)
    except PromptError as error:
        raise fail(error) from None


@app.command()
def takes(language: str = "fa", *, everybody: _Everybody = False) -> None:
    """Check each studio recording, and name missing ones; exit 1 if a take must be repeated."""
    from prompts.catalogue import PromptError
    from prompts.render import RECORDINGS
    from prompts.takes import check as check_takes

    try:
        found = list(check_takes(RECORDINGS, language, load_settings().of_city, everybody=everybody))
    except PromptError as error:
        raise fail(error) from None
    again = [take for take in found if take.problems]
    missing = [take.clip for take in found if take.problems is None]
    for take in again:
        typer.echo(f"again    {take.clip}: {'; '.join(take.problems or ())}")
    for clip in missing:
        typer.echo(f"missing  {clip}")
    typer.echo(f"{len(found) - len(again) - len(missing)} good, {len(again)} again, {len(missing)} missing")
    if again:
        raise typer.Exit(1)


@app.command()
def voice(
    source: Annotated[str, typer.Argument(help="The .onnx file of a Piper voice, or its address.")],
    sha256: Annotated[str, typer.Option(help="The checksum from its publisher.")],
    language: str = "fa",
) -> None:
    """Take a better voice and render all prompts with it (docs/voices.md)."""
    from prompts.catalogue import list_languages
    from prompts.sources import VoiceError
    from prompts.voice_files import take

    if language not in list_languages():
        raise fail(f"no prompts in {language!r}; there are: {', '.join(list_languages())}")
    try:
        typer.echo(take(load_settings(), source, language, sha256, _bytes))
    except VoiceError as error:
        raise fail(error) from None
    build()


def _progress(done: int, total: int) -> None:
    if sys.stdout.isatty():
        typer.echo(f"\r{done}/{total}", nl=done == total)
    elif done == total or done % 50 == 0:
        typer.echo(f"{done}/{total}")


def _bytes(done: int, total: int) -> None:
    megabytes, end = done / 1e6, done == total
    if sys.stdout.isatty():
        typer.echo(f"\r{megabytes:.1f} of {total / 1e6:.1f} MB" if total else f"\r{megabytes:.1f} MB", nl=end)
    elif end:
        typer.echo(f"{megabytes:.1f} MB")
