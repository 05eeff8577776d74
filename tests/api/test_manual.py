"""The manual at /docs: whoever is signed in reads each page, and finds what it links to."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import manual
from db.models import Role
from tests.api.answers import As

PAGES = sorted(str(page.relative_to(manual.ROOT)) for page in manual.ROOT.rglob("*.md"))


def test_manual_asks_for_sign_in(nobody: TestClient) -> None:
    for address in ("/docs", "/docs/README.md", "/docs/../hotline.env"):
        answer = nobody.get(address, follow_redirects=False)
        assert answer.status_code in (303, 404), address
        assert "<article" not in answer.text
    assert nobody.get("/docs", follow_redirects=False).headers["location"] == "/sign-in"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.OFFICIAL, Role.ADMINISTRATOR])
def test_manual_is_shown_to_every_role(as_role: As, role: Role) -> None:
    answer = as_role(role).get("/docs")
    assert answer.status_code == 200
    assert answer.url.path == "/docs/README.md"


def test_every_page_of_the_manual_is_served_with_its_links(desk: TestClient) -> None:
    served = {page: desk.get(f"/docs/{page}") for page in PAGES}
    assert {page for page, answer in served.items() if answer.status_code != 200} == set()
    for page, answer in served.items():
        body = answer.text.split("<article", 1)[1]
        for target, part in re.findall(r'(?:href|src)="(?!\w+:)([^"#]*)(#[^"]*)?"', body):
            url = (
                str(answer.url.join(target)).removeprefix("http://testserver") if target else f"/docs/{page}"
            )
            found = desk.get(url)
            assert found.status_code == 200, (page, target)
            if part:
                assert f'id="{part[1:]}"' in found.text, (page, target, part)


def test_persian_guide_reads_from_right_to_left(desk: TestClient) -> None:
    assert '<article class="manual" lang="fa" dir="rtl">' in desk.get("/docs/fa/technician.md").text
    assert '<article class="manual" lang="en" dir="ltr">' in desk.get("/docs/operate/night.md").text


@pytest.mark.parametrize(
    "path",
    [
        "nothing.md",
        "measured.json",
        "%2e%2e/README.md",
        "..%2f..%2fetc/passwd",
        "%00",
        "a" * 300,
        "operate/%2e%2e/%2e%2e/NOTICE",
    ],
)
def test_manual_serves_nothing_beside_its_pages(desk: TestClient, path: str) -> None:
    answer = desk.get(f"/docs/{path}")
    assert answer.status_code == 404
    assert "<article" not in answer.text


def test_manual_follows_no_link_out_of_its_folder(
    desk: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "secret.md").write_text("# A secret")
    (docs / "out.md").symlink_to(tmp_path / "secret.md")
    monkeypatch.setattr(manual, "ROOT", docs)
    assert desk.get("/docs/out.md").status_code == 404
