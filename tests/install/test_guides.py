"""The Persian guides: each of their steps is still there to be pressed, and they come out on paper."""

from pathlib import Path

from tests.kit import guide_pictures, guides


def test_each_guide_picture_can_be_taken(
    tmp_path: Path,
) -> None:
    guide_pictures.take(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        file.name for file in guide_pictures.FOLDER.iterdir()
    }


def test_each_printed_guide_has_a_few_pages(tmp_path: Path) -> None:
    guides.write(tmp_path)
    for name in guides.NAMES:
        assert (tmp_path / f"{name}.html").stat().st_size > 0
        assert 2 < (tmp_path / f"{name}.pdf").read_bytes().count(b"/Type /Page\n") <= 10
