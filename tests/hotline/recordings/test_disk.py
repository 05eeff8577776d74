"""The folders of what is kept."""

from pathlib import Path

from hotline.recordings import disk


def test_file_vanishing_during_the_listing_is_skipped(tmp_path: Path) -> None:
    for name in ("a", "b.part", "c"):
        (tmp_path / name).touch()
    found = disk.list_files(tmp_path)
    names = [next(found)[0].name]
    (tmp_path / "b.part").unlink()
    assert names + [path.name for path, _ in found] == ["a", "c"]
