"""Files are read whole, packed or not, or refused by name; they are written whole or not at all."""

import gzip
import lzma
from pathlib import Path

import pyarrow as pa
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes, replace_files, replace_text, replacing

PACKED = gzip.compress(b"text")


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", b"text"), ("a.txt.gz", PACKED)], ids=["plain", "packed"]
)
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


def _packed(suffix: str, content: bytes) -> bytes:
    if suffix == ".gz":
        return gzip.compress(content)
    if suffix == ".xz":
        return lzma.compress(content)
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    return out.getvalue().to_pybytes()


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_a_packed_file_reads_as_what_was_packed(tmp_path, suffix):
    path = tmp_path / f"text.jsonl{suffix}"
    path.write_bytes(_packed(suffix, b"text\n" * 100_000))
    assert read_bytes(path, "Give a text") == b"text\n" * 100_000


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_a_packed_file_that_was_cut_is_named(tmp_path, suffix):
    path = tmp_path / f"text.jsonl{suffix}"
    path.write_bytes(_packed(suffix, bytes(range(256)) * 1000)[:-20])
    with pytest.raises(InputError, match=rf"text\.jsonl\{suffix}.*Give a text"):
        read_bytes(path, "Give a text")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_reads_the_same_in_every_encoding_that_says_which_it_is(tmp_path, encoding):
    path = tmp_path / "text.jsonl"
    path.write_text("héllo\n", encoding=encoding)
    assert read_bytes(path, "Give a text") == "héllo\n".encode()


def test_half_a_character_of_utf_16_is_named(tmp_path):
    path = tmp_path / "text.jsonl"
    path.write_bytes("a".encode("utf-16") + b"x")
    with pytest.raises(InputError, match=r"text\.jsonl: .*Give a text"):
        read_bytes(path, "Give a text")


def test_a_pointer_of_git_lfs_is_no_file(tmp_path):
    path = tmp_path / "text.jsonl"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(InputError, match="git lfs pull"):
        read_bytes(path, "Give a text")


def test_a_file_that_was_not_filled_to_the_end_leaves_the_old_one(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as partial:
        partial.write_text("ne")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_process_do_not_share_a_file(tmp_path):
    path = tmp_path / "text.txt"
    with replacing(path) as first, replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # whose block ends last
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_is_written_into_a_folder_that_was_not_there(tmp_path):
    replace_text(tmp_path / "new" / "text.txt", "héllo\n")
    assert (tmp_path / "new" / "text.txt").read_bytes() == "héllo\n".encode()


def test_files_take_the_place_of_those_of_their_names_and_of_no_others(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    for folder in (new / "sub", old / "sub"):
        folder.mkdir(parents=True)
        (folder / "damaged").write_text(folder.parent.name)
        (folder / "other").write_text(folder.parent.name)
    replace_files(new, old, ["sub/damaged"])
    assert (old / "sub/damaged").read_text() == "new"
    assert (old / "sub/other").read_text() == "old"
