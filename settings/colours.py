"""Colours: contrast between two, and mixtures."""

READABLE = 4.5
"""The least contrast of readable text (WCAG 2, AA)."""


def measure_contrast(one: str, other: str) -> float:
    """Return the contrast, from 1 (equal) to 21 (black on white); colours are written #0b6f77."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix_colours(one: str, other: str, share: float) -> str:
    """Mix two colours; `share` (0 to 1) is the other colour's part."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(mine * (1 - share) + its * share):02x}" for mine, its in pairs)


def make_readable(colour: str, on: str, toward: str, least: float = READABLE) -> str:
    """Return the colour, mixed with just enough of `toward` to be readable."""
    steps = (mix_colours(colour, toward, step / 50) for step in range(51))
    return next((found for found in steps if measure_contrast(found, on) >= least), toward)


def _parts(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
