"""Stretches the times that pacing decides by (tests.kit.accelerated)."""

from hotline import experience


def stretch(speed: float) -> None:
    """Let one second of this process be `speed` seconds to the pacing."""
    experience._INTO_CONVERSATION_S /= speed
