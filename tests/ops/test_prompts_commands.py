"""The commands: build with progress, check, listen to one, and the script for the studio."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ops.cli import app
from prompts import catalogue, listen, script, sound
from prompts.catalogue import list_clips
from settings import city_file

pytestmark = pytest.mark.usefixtures("own_environment")
ISFAHAN = city_file.read(city_file.SAMPLE)
CLIPS = ("greeting", "ticket-again.1", *(f"digit-{n}" for n in range(10)))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["prompts", *words])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of an installation that has a few Persian prompts only."""
    whole = catalogue.load("fa")
    monkeypatch.setattr(catalogue, "list_languages", lambda: ["fa"])
    monkeypatch.setattr(whole, "texts", {clip: whole.texts[clip] for clip in CLIPS})
    monkeypatch.setattr(
        whole, "prompts", {prompt: whole.prompts[prompt] for prompt in ("greeting", "ticket-again")}
    )
    written = {"menu": {prompt: "" for prompt in whole.prompts}}
    monkeypatch.setattr(whole, "sections", written)
    monkeypatch.setenv("HOTLINE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)  # where no hotline.env is
    return tmp_path / "state"


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A player that only notes what it played, and no other one."""
    played = tmp_path / "played"
    program = tmp_path / "bin" / "aplay"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {played}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return played


def test_build_shows_progress_and_satisfies_the_check(
    state: Path,
) -> None:
    before = run("check")
    assert before.exit_code == 1
    assert "fa/greeting: missing alaw, g722, ulaw, wav" in before.stderr

    build = run("build")
    assert build.exit_code == 0
    assert "17/17\n" in build.stdout
    assert "17 clips, 17 written" in build.stdout
    assert (run("check").exit_code, run("check").output) == (0, "")


def test_broken_setting_ends_the_build_with_its_name(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_PROMPTS_PIPER", "fa=/nowhere.onnx")
    for command in ("build", "check"):
        result = run(command)
        assert result.exit_code == 1
        assert "HOTLINE_PROMPTS_PIPER: fa=/nowhere.onnx: No such file" in result.stderr


def test_player_plays_the_whole_prompt_with_examples(state: Path, request: pytest.FixtureRequest) -> None:
    run("build")
    played: Path = request.getfixturevalue("player")
    assert run("listen", "greeting").output == ""
    assert run("listen", "ticket-again").output == ""
    greeting, ticket = played.read_text().splitlines()
    assert greeting == f"-q {state}/prompts/fa/greeting.wav"
    samples, rate = sound.read(Path(ticket.removeprefix("-q ")).read_bytes())
    parts = [
        sound.read((state / f"prompts/fa/{clip}.wav").read_bytes())[0]
        for clip in list_clips("fa", "ticket-again", ticket="0123456")
    ]
    assert (samples.size, rate) == (sum(part.size for part in parts), 8000)


def test_listening_without_a_player_prints_the_path(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("build")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("listen", "digit-3").stdout == f"{state}/prompts/fa/digit-3.wav\n"


def test_failed_player_prints_the_path(state: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    run("build")
    request.getfixturevalue("player")
    (tmp_path / "bin/aplay").write_text("#!/bin/sh\necho no sound card >&2; exit 1\n")
    assert run("listen", "greeting").output == f"{state}/prompts/fa/greeting.wav\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["listen", "no-such"], "no prompt 'no-such' in 'fa'"),
        (["listen", "greeting"], "fa/greeting is not rendered yet: hotline137 prompts build"),
        (["listen", "ticket-again"], "is not rendered yet"),
        (["listen", "greeting", "--language", "xx"], "no prompts in 'xx'"),
        (["script", "--language", "xx"], "no prompts in 'xx'"),
    ],
)
def test_missing_prompt_is_reported(state: Path, words: list[str], message: str) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert message in result.stderr


@pytest.mark.parametrize("language", catalogue.list_languages())
def test_each_slot_has_an_example(language: str) -> None:
    for prompt in catalogue.list_prompts(language):
        assert set(listen.list_example_clips(language, prompt)) <= {*catalogue.list_texts(language), "pause"}


# The script for the studio


@pytest.mark.parametrize("language", catalogue.list_languages())
def test_studio_script_holds_each_clip_once(language: str) -> None:
    recorded = [line.clip for lines in script.list_lines(language, ISFAHAN).values() for line in lines]
    assert sorted(recorded) == sorted(catalogue.list_texts(language, ISFAHAN))


def test_persian_script_omits_vowel_signs() -> None:
    lines = {line.clip: line for lines in script.list_lines("fa", ISFAHAN).values() for line in lines}
    assert lines["greeting"].text == "سلام صد و سی و هفت اصفهان."
    assert lines["number-20-and"].text == "بیست و …"
    assert lines["day-30"].text == "سی‌ام …"
    assert lines["subject-7"].text == "ترافیک و حمل و نقل، عدد هفت."
    assert lines["choose-item.2"] == (
        "choose-item.2",
        "عدد …",
        "→ برای [office] عدد [key].",
    )
    for line in lines.values():
        assert not any(sign in line.text for sign in "\u064e\u064f\u0650\u0651\u0652"), line


def test_script_command_prints_sections_ids_and_texts(tmp_path: Path) -> None:
    result = run("script", "--language", "en")
    assert result.exit_code == 0
    assert "== Reporting a city problem\n" in result.stdout
    assert "[ ] report-category\n    What is the problem" in result.stdout


def test_recorded_clip_is_ticked_in_the_script(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/goodbye.wav").touch()
    written = list(script.write("en", ISFAHAN, tmp_path))
    assert [line for line in written if line.startswith("[✓]")] == ["[✓] goodbye"]


def test_length_of_a_prompt_is_that_of_its_clips(
    state: Path,
) -> None:
    assert "is not rendered yet" in run("length").stderr
    run("build")
    book = catalogue.load("fa")
    lines = run("length").stdout.splitlines()
    assert [line.split()[1] for line in lines if "=" not in line] == list(book.prompts)
    heard = sum(
        len(sound.read((state / "prompts" / "fa" / f"{clip}.wav").read_bytes())[0]) / 8000
        for clip in listen.list_example_clips("fa", "ticket-again")
    )
    assert f"{heard:6.1f}  ticket-again" in lines


def test_takes_without_recordings_are_all_missing(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("prompts.render.RECORDINGS", tmp_path)
        result = run("takes")
    assert result.exit_code == 0
    assert f"0 good, 0 again, {len(catalogue.list_texts('fa', ISFAHAN))} missing" in result.stdout
