"""What callers hear: the catalogue, spoken numbers, and the rendered clips."""

import ast
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words
from numpy.typing import NDArray

import settings as settings_module
from db.states import RegistrationState
from prompts import catalogue, render, sound, sources, spoken
from prompts.catalogue import PromptError, Slot
from settings import Settings

ROOT = Path(render.__file__).parents[1]
CEILING = 10 ** (sound.CEILING / 20)


@pytest.fixture(scope="module")
def no_recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("no-recordings")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, no_recordings: Path) -> Settings:
    """Settings whose prompts are built with the synthetic voice alone. Not to be changed."""
    settings = settings_module.load(state_dir=tmp_path_factory.mktemp("built"))
    render.build(settings, recordings=no_recordings)
    return settings


@pytest.fixture
def own(built: Settings, tmp_path: Path) -> Settings:
    """A copy of the built prompts that a test may change."""
    settings = settings_module.load(state_dir=tmp_path / "state")
    shutil.copytree(built.prompts_dir, settings.prompts_dir)
    return settings


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """An empty folder for studio recordings."""
    return tmp_path / "recordings"


def record(recordings: Path, clip: str, *, rate: int = 44_100, level: float = 0.5) -> None:
    """Put a stereo recording there: one second of 500 Hz with half a second of silence around."""
    time = np.arange(rate) / rate
    mono = np.pad(level * np.sin(2 * np.pi * 500 * time), rate // 2)
    (recordings / "fa").mkdir(parents=True, exist_ok=True)
    soundfile.write(recordings / "fa" / f"{clip}.wav", np.stack([mono, mono], axis=1), rate)


def wav(settings: Settings, name: str) -> sound.Samples:
    samples, rate = sound.read((settings.prompts_dir / f"{name}.wav").read_bytes())
    assert rate == 8000
    return samples


def with_text(monkeypatch: pytest.MonkeyPatch, clip: str, text: str) -> None:
    monkeypatch.setitem(catalogue.load("fa").texts, clip, text)


# The catalogue


def prompts_named_in(source: str) -> set[str]:
    """The ids that code hands to call.say, call.ask and call.ask_digits as plain strings."""

    def ids(node: ast.expr) -> set[str]:
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp():
                return ids(node.body) | ids(node.orelse)
            case ast.Tuple(elts=[first, *_]):
                return ids(first)
        return set()

    return {
        prompt
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in {"say", "ask", "ask_digits"}
        for argument in node.args
        for prompt in ids(argument)
    }


def test_given_the_call_scripts_when_they_name_a_prompt_then_it_exists() -> None:
    named = {
        prompt
        for path in (ROOT / "ivr").rglob("*.py")
        for prompt in prompts_named_in(path.read_text("utf-8"))
    }
    assert named
    assert named <= catalogue.prompt_ids("fa")


def test_given_the_dialplan_when_it_plays_a_clip_then_it_exists() -> None:
    played = {
        clip
        for path in (ROOT / "dialplan").rglob("*.conf")
        for clip in re.findall(r"\{\{ prompts \}\}/fa/([\w.-]+)", path.read_text("utf-8"))
    }
    assert played <= catalogue.texts("fa").keys()


@pytest.mark.parametrize("state", RegistrationState)
def test_given_a_state_of_a_registration_when_followed_up_then_a_prompt_says_it(
    state: RegistrationState,
) -> None:
    assert f"status-{state}" in catalogue.prompt_ids("fa")


def test_given_the_texts_when_read_then_they_keep_the_rules_of_the_voice() -> None:
    signs = spoken.VOWEL_SIGNS.replace("\u0651", "")
    for clip, text in catalogue.texts("fa").items():
        assert not re.search(r"\d", text), f"{clip}: a digit"
        assert not re.search(f"\u0651[{signs}]|[{signs}]\u0651", text), f"{clip}: shadda and vowel"
        assert not re.search("[a-zA-Zيك{}*]", text), f"{clip}: not Persian"


def test_given_the_prompts_when_read_then_every_slot_is_of_a_known_kind() -> None:
    parts = [part for prompt in catalogue.load("fa").prompts.values() for part in prompt]
    assert {part.kind for part in parts if isinstance(part, Slot)} == {
        "phone",
        "digits",
        "count",
        "clip",
    }


def test_given_a_prompt_without_slots_when_asked_then_it_is_one_clip() -> None:
    assert catalogue.clips("fa", "greeting") == ["greeting"]


def test_given_a_prompt_with_slots_when_filled_then_fragments_and_values_alternate() -> None:
    assert catalogue.clips("fa", "choose-item", office="office-district-12", key=3) == [
        "choose-item.1",
        "office-district-12",
        "choose-item.2",
        "number-3",
        "choose-item.3",
    ]


def test_given_a_prompt_that_ends_with_a_slot_when_filled_then_silence_closes_the_sentence() -> None:
    clips = catalogue.clips("fa", "ticket-again", ticket="0123456")
    assert clips == [
        "ticket-again.1",
        *("digit-0", "digit-1", "digit-2", "pause"),
        *("digit-3", "digit-4", "digit-5", "digit-6", "pause"),
    ]


@pytest.mark.parametrize(
    ("prompt", "slots", "message"),
    [
        ("no-such", {}, "no prompt 'no-such'"),
        ("greeting", {"name": "x"}, "has no slots; given: name"),
        ("registered", {}, "has ticket; given: none"),
        ("registered", {"ticket": "1234567", "extra": 1}, "has ticket; given: extra, ticket"),
        ("registered", {"ticket": 1234567}, "slot 'ticket': 1234567 is not str"),
        ("registered", {"ticket": "12a4567"}, "not a row of digits"),
        ("confirm-number", {"number": "+989131234567"}, "not a row of digits"),
        ("ahead-some", {"ahead": "12"}, "slot 'ahead': '12' is not int"),
        ("ahead-some", {"ahead": -1}, "cannot be read"),
        ("round-single", {"office": "office-of-nobody"}, "no clip 'office-of-nobody'"),
    ],
)
def test_given_a_wrong_prompt_or_slot_when_asked_then_it_is_refused(
    prompt: str, slots: dict[str, str | int], message: str
) -> None:
    with pytest.raises(PromptError, match=re.escape(message)):
        catalogue.clips("fa", prompt, **slots)


@pytest.mark.parametrize("language", ["xx", "../prompts/fa", ""])
def test_given_an_unknown_language_when_asked_then_it_is_refused(language: str) -> None:
    with pytest.raises(PromptError, match="there are: fa"):
        catalogue.clips(language, "greeting")


# Spoken numbers


def test_given_every_number_of_four_digits_when_read_then_as_num2words_says() -> None:
    wrong = [n for n in range(10_000) if spoken.count_text(n) != num2words(n, lang="fa")]
    assert not wrong


@given(st.integers(0, 999_999) | st.integers(0, 999).map(lambda n: n * 1000))
def test_given_a_number_below_a_million_when_read_then_as_num2words_says(number: int) -> None:
    assert spoken.count_text(number) == num2words(number, lang="fa")


@given(st.integers(0, 999_999_999))
def test_given_a_number_when_read_then_its_clips_say_its_text(number: int) -> None:
    texts = catalogue.texts("fa")
    plain = {ord(sign): None for sign in spoken.VOWEL_SIGNS.replace("ُ", "")}
    heard = " ".join(
        texts[clip].removesuffix("ُ،") + " و" if clip.endswith("-and") else texts[clip]
        for clip in spoken.count(number)
    )
    assert heard.translate(plain).replace("ُ", "") == spoken.count_text(number)


@pytest.mark.parametrize("number", [-1, 1_000_000_000])
def test_given_a_number_out_of_range_when_read_then_it_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        spoken.count(number)


@pytest.mark.parametrize(
    ("number", "groups"),
    [
        ("09131234567", "0913 123 45 67"),
        ("03132221234", "031 3222 1234"),
        ("1234567890", "12 3456 7890"),
        ("137", "137"),
    ],
)
def test_given_a_telephone_number_when_read_then_in_the_groups_people_use(number: str, groups: str) -> None:
    heard = "".join(
        " " if clip == spoken.PAUSE else clip.removeprefix("digit-") for clip in spoken.phone(number)
    )
    assert heard == groups


@pytest.mark.parametrize("text", ["", "12 34", "۱۲۳۴", "-1"])
def test_given_no_digits_when_read_then_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a row of digits"):
        spoken.digits(text)


# Rendered clips


def test_given_a_full_build_when_checked_then_nothing_is_wrong(built: Settings, no_recordings: Path) -> None:
    assert render.check(built, recordings=no_recordings) == []


def test_given_a_full_build_when_heard_then_every_clip_is_audible_and_below_the_ceiling(
    built: Settings,
) -> None:
    for clip in catalogue.texts("fa"):
        samples = wav(built, f"fa/{clip}")
        assert 0.2 < samples.size / 8000 < 16, clip
        assert 0.1 < np.abs(samples).max() <= CEILING + 1e-3, clip


def test_given_a_full_build_when_measured_then_the_voice_has_one_loudness(built: Settings) -> None:
    meter = pyloudnorm.Meter(8000)
    clips = {clip: wav(built, f"fa/{clip}") for clip in catalogue.texts("fa")}
    whole = meter.integrated_loudness(np.concatenate(list(clips.values())))
    assert whole == pytest.approx(sound.LOUDNESS, abs=1)
    for prompt in catalogue.prompt_ids("fa") & clips.keys():
        assert meter.integrated_loudness(clips[prompt]) == pytest.approx(whole, abs=2.5), prompt


@pytest.mark.parametrize("codec", ["ALAW", "ULAW"])
def test_given_a_full_build_when_decoded_then_the_codec_files_sound_like_the_wav(
    built: Settings, codec: str
) -> None:
    path = built.prompts_dir / "fa" / f"greeting.{codec.lower()}"
    decoded, _ = soundfile.read(
        path, format="RAW", subtype=codec, samplerate=8000, channels=1, endian="LITTLE"
    )
    original = wav(built, "fa/greeting")
    assert path.stat().st_size == original.size
    noise = decoded - original
    assert 10 * np.log10(np.sum(original**2) / np.sum(noise**2)) > 30


def test_given_a_clip_when_trimmed_then_forty_ms_stay_and_a_sentence_has_a_pause_after_it() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000).astype(np.float32)
    padded = np.pad(tone, 8_000)
    joined = sound.telephone(padded, 16_000, sentence=False)
    sentence = sound.telephone(padded, 16_000, sentence=True)
    assert joined.size / 8000 == pytest.approx(1.08, abs=0.01)
    assert sentence.size / 8000 == pytest.approx(1.29, abs=0.01)


def test_given_the_music_on_hold_when_looped_then_it_is_half_a_minute_without_a_seam(
    built: Settings,
) -> None:
    music = wav(built, "moh/hold")
    assert music.size == 30 * 8000
    seam = abs(music[0] - music[-1])
    assert seam <= np.abs(np.diff(music)).max()
    seconds = np.sqrt(np.mean(music.reshape(30, 8000) ** 2, axis=1))
    assert seconds.min() > 0.5 * seconds.max()


def test_given_the_pause_when_measured_then_it_is_a_quarter_second_of_nothing(
    built: Settings,
) -> None:
    assert wav(built, "fa/pause").tolist() == [0.0] * 2000


def test_given_nothing_changed_when_built_again_then_nothing_is_done_at_once(
    built: Settings, no_recordings: Path
) -> None:
    report = render.build(built, recordings=no_recordings)
    assert (report.rendered, report.written) == ((), ())
    assert report.seconds < 0.3


def test_given_one_changed_text_when_built_again_then_only_that_clip_is_rendered(
    own: Settings, no_recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (own.prompts_dir / "fa/goodbye.alaw").read_bytes()
    with_text(monkeypatch, "goodbye", "خدا نگهدارِ شما.")
    assert [line.split(",")[0] for line in render.check(own, recordings=no_recordings)] == [
        "fa/goodbye: stale"
    ]
    steps: list[tuple[int, int]] = []
    report = render.build(
        own, recordings=no_recordings, progress=lambda done, total: steps.append((done, total))
    )
    assert report.rendered == ("fa/goodbye",)
    assert report.written == ("fa/goodbye",)
    assert steps == [(1, 1)]
    assert (own.prompts_dir / "fa/goodbye.alaw").read_bytes() != before
    assert render.check(own, recordings=no_recordings) == []


@pytest.mark.parametrize("content", [None, b""])
def test_given_a_lost_or_empty_file_when_built_again_then_it_is_written_without_the_voice(
    own: Settings, no_recordings: Path, content: bytes | None
) -> None:
    path = own.prompts_dir / "fa/greeting.ulaw"
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert render.check(own, recordings=no_recordings) == ["fa/greeting: missing .ulaw"]
    report = render.build(own, recordings=no_recordings)
    assert (report.rendered, report.written) == ((), ("fa/greeting",))
    assert path.read_bytes() == before


def test_given_a_broken_manifest_when_built_again_then_the_kept_takes_are_used(
    own: Settings, no_recordings: Path
) -> None:
    (own.prompts_dir / "manifest.json").write_text("{")
    report = render.build(own, recordings=no_recordings)
    assert (report.rendered, len(report.written)) == ((), report.clips)


def test_given_a_studio_recording_when_built_then_it_wins_and_goes_when_it_is_removed(
    own: Settings, recordings: Path
) -> None:
    synthetic = (own.prompts_dir / "fa/goodbye.alaw").read_bytes()
    record(recordings, "goodbye", level=0.9)
    report = render.build(own, recordings=recordings)
    assert report.rendered == ("fa/goodbye",)
    recorded = wav(own, "fa/goodbye")
    assert recorded.size / 8000 == pytest.approx(1.29, abs=0.02)
    spectrum = np.abs(np.fft.rfft(recorded))
    assert np.argmax(spectrum) * 8000 / recorded.size == pytest.approx(500, abs=2)
    assert np.abs(recorded).max() <= CEILING + 1e-3
    assert render.check(own, recordings=recordings) == []

    (recordings / "fa/goodbye.wav").unlink()
    assert render.build(own, recordings=recordings).rendered == ("fa/goodbye",)
    assert (own.prompts_dir / "fa/goodbye.alaw").read_bytes() == synthetic


def test_given_a_recorded_fragment_among_synthetic_ones_when_checked_then_the_mix_is_named(
    own: Settings, recordings: Path
) -> None:
    record(recordings, "registered.1")
    render.build(own, recordings=recordings)
    (problem,) = render.check(own, recordings=recordings)
    assert problem.startswith("fa: sentences are joined from espeak and studio")


@pytest.mark.parametrize(
    ("rate", "level", "message"),
    [(6_000, 0.5, "sampled at 6000 Hz"), (44_100, 0.0, "nothing can be heard")],
)
def test_given_an_unusable_recording_when_built_then_it_is_named(
    own: Settings, recordings: Path, rate: int, level: float, message: str
) -> None:
    record(recordings, "goodbye", rate=rate, level=level)
    with pytest.raises(sources.VoiceError, match=f"fa/goodbye from studio: {message}"):
        render.build(own, recordings=recordings)


def test_given_a_recording_that_is_no_sound_when_built_then_it_is_named(
    own: Settings, recordings: Path
) -> None:
    (recordings / "fa").mkdir(parents=True)
    (recordings / "fa/goodbye.wav").write_text("later")
    with pytest.raises(sources.VoiceError, match="fa/goodbye from studio: not a sound file"):
        render.build(own, recordings=recordings)


def test_given_no_espeak_when_something_must_be_spoken_then_the_error_says_what_to_install(
    own: Settings, no_recordings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render.build(own, recordings=no_recordings).rendered == ()
    with_text(monkeypatch, "goodbye", "خدا نگهدارِ شما.")
    with pytest.raises(sources.VoiceError, match="apt install espeak-ng"):
        render.build(own, recordings=no_recordings)


def test_given_damaged_clips_when_checked_then_each_is_named(own: Settings, no_recordings: Path) -> None:
    def put(clip: str, samples: NDArray[np.float64]) -> None:
        soundfile.write(own.prompts_dir / "fa" / f"{clip}.wav", samples, 8000)

    put("greeting", np.ones(8000))
    put("goodbye", np.zeros(8000))
    put("apology", np.full(21 * 8000, 0.5))
    (own.prompts_dir / "fa" / "lines-full.wav").write_bytes(b"torn")
    assert render.check(own, recordings=no_recordings) == [
        "fa/greeting: clipped, a peak passes -3 dBFS",
        "fa/goodbye: silent",
        "fa/apology: 21 s, longer than 20 s",
        "fa/lines-full: not a sound file: Format not recognised.",
    ]


def test_given_a_clip_being_rebuilt_when_it_is_read_meanwhile_then_it_is_always_whole(
    own: Settings, no_recordings: Path
) -> None:
    path = own.prompts_dir / "fa/greeting.alaw"
    whole = path.read_bytes()
    over = threading.Event()
    torn: list[int] = []

    def play() -> None:
        while not over.is_set():
            if (heard := path.read_bytes()) != whole:
                torn.append(len(heard))

    player = threading.Thread(target=play)
    player.start()
    try:
        for _ in range(3):
            (own.prompts_dir / "manifest.json").unlink()
            render.build(own, recordings=no_recordings)
    finally:
        over.set()
        player.join()
    assert not torn
