"""The look of a page at every width, in both schemes and under a thumb: unreadable, hidden or unreachable
parts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Page, TimeoutError

from tests.kit.pages import axe_finds, with_axe

WIDTHS = (768, 1024, 1440, 360)
"""The telephone last: a thumb comes then."""
_HEIGHTS = {360: 740, 768: 1024, 1024: 768, 1440: 900}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
_BY_EVERY_RULE = (1440, "light")
"""Elsewhere by that of contrast alone: no other one asks for a width or a scheme."""


@dataclass
class LookedAt:
    """A page, and what is wrong with it."""

    address: str
    unfit: list[str] = field(default_factory=list)
    """Barriers for a person at a desk in a light room."""
    faint: dict[str, list[str]] = field(default_factory=dict)
    """Too little contrast, by scheme and width."""
    sideways: list[int] = field(default_factory=list)
    """Widths at which it runs over the edge."""
    small: list[str] = field(default_factory=list)
    """Targets too small for a thumb."""
    key_caps: int = 0
    """Keys that are shown to who has none."""


def look_at(page: Page) -> LookedAt:
    """Look at the page that is loaded, once for all widths and schemes."""
    with_axe(page)
    page.evaluate("document.fonts.ready")
    found = LookedAt(page.url)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": _HEIGHTS[width]})
        _settle(page)
        if _runs_over(page, width):
            found.sideways.append(width)
        for scheme in SCHEMES:
            _put_on(page, scheme)
            if (width, scheme) == _BY_EVERY_RULE:
                found.unfit = axe_finds(page)
            elif faint := page.evaluate(_CONTRAST):
                found.faint[f"{scheme} {width}"] = faint
    with with_a_thumb(page):
        found.small = small_targets(page)
        found.key_caps = key_caps(page)
    return found


@contextmanager
def with_a_thumb(page: Page) -> Iterator[None]:
    """Emulate a telephone: no mouse, no keyboard."""
    wire = page.context.new_cdp_session(page)
    wire.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    _settle(page)
    yield
    wire.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    wire.detach()


def small_targets(page: Page) -> list[str]:
    """Return the targets that cannot be hit 21 pixels from the middle, except links within a text."""
    found: list[str] = page.evaluate(_SMALL)
    return found


def key_caps(page: Page) -> int:
    """How many keys are shown."""
    return page.locator("kbd:visible").count()


def _runs_over(page: Page, width: int) -> bool:
    """Charts and virtual rows follow the page's width in their own time."""
    try:
        page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)
    except TimeoutError:
        return True
    return False


def _settle(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _put_on(page: Page, scheme: Literal["dark", "light"]) -> None:
    """Apply the scheme by the choice or the system: the public pages have no choice of their own."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(_CHOOSE, scheme)


_CHOOSE = """(scheme) => {
  const root = document.documentElement, name = 'data-mantine-color-scheme';
  if (root.hasAttribute(name)) root.setAttribute(name, scheme);
}"""


_CONTRAST = """async () => {
  const { violations } = await axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations'] });
  return violations.flatMap(({ nodes }) => nodes.map(({ html, any }) => {
    const { fgColor, bgColor, contrastRatio } = any[0].data;
    return `${fgColor} on ${bgColor} is ${contrastRatio}: ${html.slice(0, 120)}`;
  }));
}"""

_SMALL = """() => {
  const what = 'a[href], button, input, select, textarea, summary, [role=button], [role=tab]';
  const inText = (one) => one.matches('a') && getComputedStyle(one).display === 'inline'
    && [...one.parentElement.childNodes].some((near) => near !== one && near.textContent.trim()[1]);
  const hits = (one, x, y) => {
    const there = document.elementFromPoint(x, y);
    return one.contains(there);
  };
  return [...document.querySelectorAll(what)].filter((one) => {
    if (one.disabled || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) {
      return false;
    }
    // A label is hit as well as what it names.
    const boxes = [one, ...(one.labels ?? [])].map((part) => part.getBoundingClientRect());
    const ends = (of, side) => of(...boxes.map((box) => box[side]));
    const spans = (from, to) => ends(Math.max, to) - ends(Math.min, from);
    if (spans('left', 'right') >= 43.5 && spans('top', 'bottom') >= 43.5) return false;
    let box = boxes[0];
    if (box.width < 2 || inText(one)) return false;
    one.scrollIntoView({ block: 'center' });
    box = one.getBoundingClientRect();
    const x = box.x + box.width / 2;
    const y = box.y + box.height / 2;
    return ![[0, -21], [0, 21], [-21, 0], [21, 0]].every(([right, down]) => hits(one, x + right, y + down));
  }).map((one) => {
    const { width, height } = one.getBoundingClientRect();
    return `${Math.round(width)}×${Math.round(height)}: ${one.outerHTML.slice(0, 140)}`;
  });
}"""
