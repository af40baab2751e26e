"""Small versions of figures, for places that hold little."""

from __future__ import annotations

import io

WIDEST, NARROWEST = 640, 16
COLOURS = (32, 8)


def thumbnail(png: bytes, most_bytes: int) -> bytes:
    """The figure as a PNG of at most so many bytes, as wide as that allows.

    Raises:
        ValueError: where not even the smallest width is small enough.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        figure = opened.convert("RGB")
    width = min(WIDEST, figure.width)
    while width >= NARROWEST:
        small = figure.copy()
        small.thumbnail((width, figure.height), Image.Resampling.LANCZOS)
        for colours in COLOURS:
            found = io.BytesIO()
            small.quantize(colours, dither=Image.Dither.NONE).save(found, "PNG", optimize=True)
            if found.tell() <= most_bytes:
                return found.getvalue()
        width = width * 4 // 5
    raise ValueError(f"no thumbnail of {len(png)} bytes fits into {most_bytes}")
