"""Files as browsers record voices, and others, all made here."""

import io

import av
import numpy as np

RECORDED = {"webm": ("webm", "libopus"), "ogg": ("ogg", "libopus"), "mp4": ("mp4", "aac")}
"""How Chromium, Firefox and Safari record: container and codec."""


def recorded(kind: str = "webm", seconds: float = 2.0, *, tone: float = 440.0, film: bool = False) -> bytes:
    """A tone, as this kind of file; with a film beside it if asked."""
    container, codec = RECORDED[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as made:
        stream = made.add_stream(codec, rate=48_000, layout="mono")
        picture = made.add_stream("libvpx", rate=10, width=32, height=32) if film else None
        if picture is not None:
            for packet in [*picture.encode(av.VideoFrame(32, 32, "yuv420p")), *picture.encode(None)]:
                made.mux(packet)
        times = np.arange(int(48_000 * seconds)) / 48_000
        samples = (np.sin(2 * np.pi * tone * times) * 12_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            made.mux(packet)
    return file.getvalue()
