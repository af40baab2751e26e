"""A small version of a figure is as large as its place allows."""

import io

import pytest
from PIL import Image

from iterpref_assets.core.reporting.plots import pass_rate_by_round
from iterpref_assets.core.reporting.thumbnails import WIDEST, thumbnail


@pytest.fixture(scope="module")
def figure() -> bytes:
    return pass_rate_by_round([0.1, 0.4, 0.6])


def width(png: bytes) -> int:
    with Image.open(io.BytesIO(png)) as opened:
        return opened.width


def test_it_is_as_wide_as_its_bytes_allow(figure: bytes) -> None:
    wide, narrow = thumbnail(figure, 20_000), thumbnail(figure, 3000)
    assert (len(wide) <= 20_000, len(narrow) <= 3000) == (True, True)
    assert width(wide) == WIDEST
    assert 100 < width(narrow) < WIDEST


def test_a_place_too_small_for_any_is_refused(figure: bytes) -> None:
    with pytest.raises(ValueError, match="no thumbnail"):
        thumbnail(figure, 60)
