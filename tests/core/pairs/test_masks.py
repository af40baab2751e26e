import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.pairs.masks import TokenSpans, focal_mask
from iterpref_assets.core.pairs.tokenization import encode_completions

PIECES = (
    'a|total|    |\t| |  \n|\n|\n\n|:|):\n|+=|π|é|e\u0301|```|# note|\'|"""|0|👍🏽|\r\n|return x|'
    "\u2028|\x85|\x0c"
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
    mask = focal_mask(["a\nb", "", "c\nd"], spans, [[1], [], [1]])
    assert mask.tolist() == [False, False, True, False, False, True]


def test_a_token_without_characters_is_never_focal():
    spans = _spans([(0, 1), (1, 1), (1, 2)])
    assert focal_mask(["ab"], spans, [[0]]).tolist() == [True, False, True]


def test_no_focal_line_gives_no_focal_token():
    assert focal_mask(["a\nb"], _spans([(0, 3)]), [[]]).tolist() == [False]


def _touched(text: str, start: int, end: int) -> set[int]:
    """The lines that the characters [start, end) lie on; none where there are none."""
    return {text.count("\n", 0, position) for position in range(start, end)}


@st.composite
def texts_with_lines(draw):
    text = draw(texts)
    return text, sorted(draw(st.sets(st.integers(0, text.count("\n")))))


def _covered(spans: TokenSpans, mask: np.ndarray) -> set[int]:
    chosen = zip(spans.starts[mask], spans.ends[mask], strict=True)
    return {position for start, end in chosen for position in range(start, end)}


@given(drawn=texts_with_lines())
@pytest.mark.parametrize("family", ["qwen_like", "gpt2_like", "greedy_bytes", "unigram"])
def test_focal_tokens_cover_the_focal_lines_whole(tokenizers, family, drawn):
    text, lines = drawn
    _, spans = encode_completions([text], tokenizers[family])
    mask = focal_mask([text], spans, [lines])
    # Composing an accent with its letter (NFC) leaves the accent's own position to no token.
    held = _covered(spans, np.ones_like(mask))
    assert held == set(range(len(text))) or "\u0301" in text
    assert _covered(spans, mask) >= _line_characters(text, lines) & held


@given(drawn=texts_with_lines())
@pytest.mark.parametrize(
    "family", ["qwen_like", "gpt2_like", "greedy_bytes", "unigram", "wordpiece"]
)
def test_a_token_is_focal_exactly_where_it_touches_a_focal_line(tokenizers, family, drawn):
    text, lines = drawn
    _, spans = encode_completions([text], tokenizers[family])
    touching = [
        bool(_touched(text, start, end) & set(lines))
        for start, end in zip(spans.starts, spans.ends, strict=True)
    ]
    assert focal_mask([text], spans, [lines]).tolist() == touching


@given(drawn=texts_with_lines())
@pytest.mark.parametrize("family", ["qwen_like", "gpt2_like", "greedy_bytes"])
def test_decoding_the_focal_tokens_gives_exactly_the_focal_lines(tokenizers, family, drawn):
    text, lines = drawn
    tokenizer = tokenizers[family]
    ids, spans = encode_completions([text], tokenizer)
    # A line is asked for together with the lines that it shares a token with, to the last.
    tokens = [
        _touched(text, start, end) for start, end in zip(spans.starts, spans.ends, strict=True)
    ]
    asked = set(lines)
    while shared := set().union(*[token for token in tokens if token & asked]) - asked:
        asked |= shared
    mask = focal_mask([text], spans, [sorted(asked)])
    wanted = "".join(text[position] for position in sorted(_line_characters(text, sorted(asked))))
    normalizer = tokenizer.backend_tokenizer.normalizer
    expected = normalizer.normalize_str(wanted) if normalizer else wanted
    assert tokenizer.decode(ids[mask].tolist()) == expected


def test_a_qwen_like_token_crosses_line_ends_over_blank_lines_only(tokenizer):
    text = "def f(x):\n    y = {\n        1: 2,\n    }\n\n    return y\n"
    _, spans = encode_completions([text], tokenizer)
    crossing = [
        text[start:end]
        for start, end in zip(spans.starts, spans.ends, strict=True)
        if len(_touched(text, start, end)) > 1
    ]
    assert crossing == ["\n\n"]


def test_indentation_is_focal_where_the_tokenizer_trims_its_offsets(tokenizers):
    tokenizer = tokenizers["gpt2_like"]
    processor = str(tokenizer.backend_tokenizer.post_processor)
    ids, spans = encode_completions(["if x:\n        y"], tokenizer)
    mask = focal_mask(["if x:\n        y"], spans, [[1]])
    assert tokenizer.decode(ids[mask].tolist()) == "\n        y"
    assert str(tokenizer.backend_tokenizer.post_processor) == processor
