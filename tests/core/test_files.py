"""Files are read whole, packed or not, or refused by name."""

import gzip
from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes

PACKED = gzip.compress(b"text")


@pytest.mark.parametrize(("name", "content"), [("a.txt", b"text"), ("a.txt.gz", PACKED)])
def test_a_packed_file_is_read_like_a_plain_one(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert read_bytes(path, "Give a text") == b"text"


@pytest.mark.parametrize(
    "content",
    [b"text", PACKED[:5], PACKED[:-1], PACKED[:-8] + bytes(8)],
    ids=["plain", "half a header", "cut off", "another checksum"],
)
def test_a_file_that_is_no_whole_gzip_is_named_with_the_remedy(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="Give a text") as caught:
        read_bytes(path, "Give a text")
    assert caught.value.file == path


def test_a_damaged_gzip_is_named_with_the_remedy(damaged_gzip: Path) -> None:
    with pytest.raises(InputError, match="Give a text") as caught:
        read_bytes(damaged_gzip, "Give a text")
    assert caught.value.file == damaged_gzip


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent: no such file"):
        read_bytes(tmp_path / "absent", "Give a text")
