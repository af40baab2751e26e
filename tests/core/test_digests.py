import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.digests import Checksums, digest_json, file_sha256, program_sha256

# FIPS 180-2, appendix B.1, and RFC 1321, appendix A.5: both of the message "abc".
ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
ABC_MD5 = "900150983cd24fb0d6963f7d28e17f72"


def test_a_file_has_the_published_digest_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc") == ABC_SHA256


def test_a_program_has_the_digest_of_its_utf_8() -> None:
    assert program_sha256("abc") == ABC_SHA256


def test_programs_that_differ_in_a_lone_surrogate_have_other_digests() -> None:
    assert program_sha256("x = '\ud800'") != program_sha256("x = '\ud801'")


def test_checksums_are_the_published_ones() -> None:
    made = Checksums(b"abc")
    assert (made.sha256, made.md5) == (ABC_SHA256, ABC_MD5)


@given(pieces=st.lists(st.binary()))
def test_checksums_are_the_same_however_the_bytes_are_cut(pieces: list[bytes]) -> None:
    cut, whole = Checksums(), Checksums(b"".join(pieces))
    for piece in pieces:
        cut.update(piece)
    assert (cut.sha256, cut.md5) == (whole.sha256, whole.md5)


@given(value=st.dictionaries(st.text(), st.integers()))
def test_a_json_value_has_one_digest_whatever_the_order_of_its_keys(value: dict[str, int]) -> None:
    assert digest_json(dict(reversed(value.items()))) == digest_json(value)


def test_the_digest_of_a_json_value_is_that_of_its_shortest_text() -> None:
    """Every artifact on disk goes by such digests: another way to write the text loses them all."""
    text = '{"a":[1,"é"],"b":null}'
    assert json.loads(text) == {"b": None, "a": [1, "é"]}
    assert digest_json({"b": None, "a": [1, "é"]}) == program_sha256(text)
