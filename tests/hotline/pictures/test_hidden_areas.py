"""Pictures with areas that a person has drawn over, of which the public copy is made."""

import io

import pytest
from PIL import Image, ImageDraw

from hotline.errors import Refused
from hotline.pictures import decoding
from hotline.pictures.decoding import Area
from tests.kit import picture_files as files


def photographed(seed: int, area: Area) -> bytes:
    """The same street; another face in the area, in other colours."""
    image = files.drawn((200, 120))
    face = Image.effect_noise((area.width, area.height), 90 + seed).convert("RGB")
    image.paste(face, (area.left, area.top))
    ImageDraw.Draw(image).line((0, 0, 200, 120), fill="white")
    image.paste(face, (area.left, area.top))
    return files.saved(image, quality=95, exif=Image.Exif(), comment=b"a comment")


def test_two_faces_in_one_hidden_place_make_the_same_copy() -> None:
    area = Area(37, 21, 50, 40)
    one, other = photographed(1, area), photographed(60, area)
    assert one != other
    first, second = (decoding.hide(each, [area]) for each in (one, other))
    inside = (37, 21, 87, 61)
    for made in (first, second):
        hidden = Image.open(io.BytesIO(made.data)).convert("RGB").crop(inside)
        assert all(abs(value - 120) <= 2 for low, high in hidden.getextrema() for value in (low, high))
    assert first.data == second.data


def test_copy_has_the_pixels_alone_and_is_the_same_again() -> None:
    data = photographed(1, Area(0, 0, 8, 8))
    made = decoding.hide(data, [])
    image = Image.open(io.BytesIO(made.data))
    assert image.size == (made.width, made.height) == (200, 120)
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    assert b"a comment" in data and b"a comment" not in made.data
    assert decoding.hide(data, []) == made
    edge = decoding.hide(data, [Area(199, 119, 1, 1)])
    assert abs(Image.open(io.BytesIO(edge.data)).getpixel((199, 119))[0] - 120) <= 2


@pytest.mark.parametrize(
    ("areas", "code"),
    [
        ([Area(-1, 0, 5, 5)], "area-outside"),
        ([Area(0, 0, 0, 5)], "area-outside"),
        ([Area(0, 0, 201, 5)], "area-outside"),
        ([Area(150, 100, 50, 21)], "area-outside"),
        ([Area(0, 0, 1, 1)] * (decoding.MOST_AREAS + 1), "too-many-areas"),
    ],
)
def test_area_beside_the_picture_is_refused(areas: list[Area], code: str) -> None:
    with pytest.raises(Refused, match=code):
        decoding.hide(files.jpeg((200, 120)), areas)


def test_copy_of_a_broken_picture_is_refused() -> None:
    for data in (b"", b"x", files.jpeg()[:40]):
        with pytest.raises(Refused, match="picture-broken"):
            decoding.hide(data, [])


def test_public_copy_is_drawn_outside_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    data = files.jpeg((200, 120))
    monkeypatch.delattr(Image, "open")
    assert decoding.hide(data, [Area(0, 0, 16, 16)]).width == 200
