"""The Persian guides (docs/fa) on paper: each as one HTML file with all that it needs, and as A4 PDF.

`make guides` writes them to var/guides. What the guides quote in « » are words of the pages; a test compares.
"""

import base64
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt

from tests.kit.browser import browser
from tests.kit.system import PROJECT

GUIDES = PROJECT / "docs" / "fa"
NAMES = ("operator", "official", "department", "technician")
_TO = PROJECT / "var" / "guides"
_LETTERS = PROJECT / "web" / "dist" / "assets"
WEIGHTS = {400: "Vazirmatn-FD-NL-Regular.woff2", 700: "Vazirmatn-FD-NL-Bold.woff2"}
_STYLE = """
@page { size: A4; margin: 16mm 15mm 18mm; }
html { direction: rtl; font: 11.5pt/1.8 Vazirmatn, sans-serif; color: #1a1a1a; }
body { max-width: 178mm; margin: 0 auto; }
h1 { font-size: 22pt; color: #0b6b73; margin: 0 0 4mm; }
h2 { font-size: 15pt; color: #0b6b73; margin: 8mm 0 2mm; break-after: avoid; }
img { width: 100%; border: 1px solid #c9c5bb; border-radius: 2mm; }
p:has(+ p > img) { break-after: avoid; }
p:has(> img) { break-inside: avoid; margin: 2mm auto 3mm; width: 78%; }
li, tr, pre { break-inside: avoid; }
table { border-collapse: collapse; width: 100%; font-size: 10.5pt; }
th, td { border: 1px solid #c9c5bb; padding: 1.2mm 2.5mm; text-align: right; vertical-align: top; }
th { background: #eef5f5; }
code { direction: ltr; unicode-bidi: isolate; font: 9.5pt/1.5 monospace; background: #f3f1ec; }
code { padding: 0 1mm; overflow-wrap: anywhere; }
pre { direction: ltr; text-align: left; background: #f3f1ec; padding: 2.5mm 3mm; white-space: pre-wrap; }
pre code { padding: 0; background: none; }
a { color: inherit; text-decoration: none; }
"""
_OWN = {"technician": "h2 { break-before: page; } h1 ~ p ~ h2:first-of-type { break-before: auto; }"}
"""Its part for three in the morning hangs on a wall."""


def html(name: str) -> str:
    """The guide as one file that needs no other."""
    body = MarkdownIt("commonmark").enable("table").render((GUIDES / f"{name}.md").read_text())
    shown = re.sub(
        r'src="(pictures/[\w-]+\.webp)"',
        lambda found: f'src="data:image/webp;base64,{_in_text(GUIDES / found[1])}"',
        body,
    )
    title = re.search(r"<h1>(.+?)</h1>", body)
    letters = "".join(
        f"@font-face {{ font-family: Vazirmatn; font-weight: {weight}; "
        f"src: url(data:font/woff2;base64,{_in_text(_LETTERS / file)}) }}"
        for weight, file in WEIGHTS.items()
    )
    style = f"{letters}{_STYLE}{_OWN.get(name, '')}"
    head = f"<meta charset=utf-8><title>{title[1] if title else name}</title><style>{style}</style>"
    return f'<!doctype html><html lang="fa" dir="rtl"><head>{head}</head><body>{shown}</body></html>'


def write(to: Path, names: Sequence[str] = NAMES) -> None:
    """Each guide as `NAME.html` and `NAME.pdf`."""
    to.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        page = chromium.new_page()
        for name in names:
            page.set_content(html(name))
            page.evaluate("document.fonts.ready")
            (to / f"{name}.html").write_text(page.content())
            page.pdf(
                path=to / f"{name}.pdf",
                prefer_css_page_size=True,
                print_background=True,
                tagged=True,
                outline=True,
            )


def _in_text(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


if __name__ == "__main__":
    write(_TO)
    sys.stdout.write(f"{_TO}\n")
