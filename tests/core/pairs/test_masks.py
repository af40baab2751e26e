import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.pairs.masks import TokenSpans, focal_mask

PIECES = (
    'a|total|    |\t| |  \n|\n|\n\n|:|):\n|+=|π|é|e\u0301|```|# note|\'|"""|0|👍🏽|\r\n|return x'
)
fragments = st.sampled_from(PIECES.split("|"))
texts = st.lists(fragments, min_size=1, max_size=25).map("".join)


def _spans(*texts: list[tuple[int, int]]) -> TokenSpans:
    flat = [span for text in texts for span in text]
    bounds = np.cumsum([0, *(len(text) for text in texts)])
    return TokenSpans(
        np.array([start for start, _ in flat], dtype=np.int64),
        np.array([end for _, end in flat], dtype=np.int64),
        bounds,
    )


def _line_characters(text: str, lines: list[int]) -> set[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans = (range(starts[line], min(starts[line + 1], len(text))) for line in lines)
    return {position for span in spans for position in span}


def test_a_line_owns_its_line_end():
    # "ab\ncd\nef": tokens ab, newline, cd, newline, ef
    spans = _spans([(0, 2), (2, 3), (3, 5), (5, 6), (6, 8)])
    assert focal_mask(["ab\ncd\nef"], spans, [[1]]).tolist() == [False, False, True, True, False]


def test_a_token_across_a_line_end_counts_for_both_lines():
    # "ab\ncd": tokens a, "b newline c", d
    spans = _spans([(0, 1), (1, 4), (4, 5)])
    assert focal_mask(["ab\ncd"], spans, [[0]]).tolist() == [True, True, False]
    assert focal_mask(["ab\ncd"], spans, [[1]]).tolist() == [False, True, True]


def test_a_blank_line_is_its_line_end():
    spans = _spans([(0, 1), (1, 2), (2, 3), (3, 4)])
    assert focal_mask(["a\n\nb"], spans, [[1]]).tolist() == [False, False, True, False]


def test_every_byte_of_a_character_is_focal():
    # "é\nx": two byte tokens share the character
    spans = _spans([(0, 1), (0, 1), (1, 2), (2, 3)])
    assert focal_mask(["é\nx"], spans, [[0]]).tolist() == [True, True, True, False]


def test_each_text_has_its_own_lines():
    spans = _spans([(0, 1), (1, 2), (2, 3)], [], [(0, 1), (1, 2), (2, 3)])
    mask = focal_mask(["a\nb", "", "c\nd"], spans, [[0], [], [1]])
    assert mask.tolist() == [True, True, False, False, False, True]


def test_a_trimmed_space_token_gets_its_characters_back():
    # "a\n  b" with the two spaces reported as empty at their end
    spans = _spans([(0, 1), (1, 2), (4, 4), (4, 5)])
    assert focal_mask(["a\n  b"], spans, [[1]]).tolist() == [False, False, True, True]


def test_no_focal_line_gives_no_focal_token():
    assert focal_mask(["a\nb"], _spans([(0, 3)]), [[]]).tolist() == [False]


def test_trimmed_indentation_is_focal_with_its_line(tokenizers):
    tokenizer = tokenizers["gpt2_like"]
    encoding, mask = _focal(tokenizer, "if x:\n        y", [1])
    focal = [token for token, marked in zip(encoding.ids, mask, strict=True) if marked]
    assert tokenizer.decode(focal) == "        y"


def _focal(tokenizer, text: str, lines: list[int]):
    encoding = tokenizer(text, add_special_tokens=False).encodings[0]
    spans = _spans(encoding.offsets)
    return encoding, focal_mask([text], spans, [lines])


@given(text=texts, data=st.data())
@pytest.mark.parametrize("family", ["gpt2_like", "greedy_bytes", "unigram", "wordpiece"])
def test_focal_tokens_cover_the_focal_lines_and_each_touches_one(tokenizers, family, text, data):
    lines = data.draw(st.lists(st.integers(0, text.count("\n")), unique=True).map(sorted))
    encoding, mask = _focal(tokenizers[family], text, lines)
    wanted = _line_characters(text, lines)
    for (start, end), focal in zip(encoding.offsets, mask, strict=True):
        if start < end:
            assert focal == bool(wanted.intersection(range(start, end)))


@given(text=texts, data=st.data())
def test_decoding_the_focal_tokens_gives_exactly_the_focal_lines(tokenizer, text, data):
    # Qwen's split joins blank lines and the space before a line end into one token; a line is
    # only asked for together with the lines it shares a token with.
    lines = data.draw(st.lists(st.integers(0, text.count("\n")), unique=True).map(sorted))
    encoding = tokenizer(text, add_special_tokens=False).encodings[0]
    for start, end in encoding.offsets:
        first, last = text.count("\n", 0, start), text.count("\n", 0, end - 1)
        if {*range(first, last + 1)} & set(lines):
            lines = sorted({*lines, *range(first, last + 1)})
    encoding, mask = _focal(tokenizer, text, lines)
    ids = [token for token, focal in zip(encoding.ids, mask, strict=True) if focal]
    normal = tokenizer.backend_tokenizer.normalizer.normalize_str
    wanted = "".join(text[position] for position in sorted(_line_characters(text, lines)))
    assert tokenizer.decode(ids) == normal(wanted)
