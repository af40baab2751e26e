"""The filters that need no tokenizer (METHOD.md, 1.6): (i), (ii), (iv), formatting, empty D-.

Filter (iii) counts tokens and is applied where pairs are tokenized.
"""

from __future__ import annotations

import io
import tokenize

from iterpref_assets.core.pairs.config import Filter, PairConfig
from iterpref_assets.core.pairs.difference import LineDifference, split_lines
from iterpref_assets.core.pairs.structure import Likeness, likeness

_LIKENESS_FILTERS = {
    Likeness.EQUAL: Filter.EQUAL_AST,
    Likeness.FORMATTING: Filter.FORMATTING_ONLY,
}


def first_filter(
    chosen: str, rejected: str, difference: LineDifference, config: PairConfig
) -> Filter | None:
    """The first filter that drops the pair, or None where it is kept.

    Equal texts count as equal trees, also where they do not parse.
    """
    if chosen == rejected:
        return Filter.EQUAL_AST
    if not difference.rejected:
        return Filter.EMPTY_FOCUS
    if only_comments(rejected, difference.rejected):
        return Filter.ONLY_COMMENTS
    if len(difference.rejected) > config.max_diff_lines:
        return Filter.LONG_DIFFERENCE
    return _LIKENESS_FILTERS.get(likeness(chosen, rejected))


def only_comments(code: str, lines: list[int]) -> bool:
    """Whether every one of `lines` (from 0) of `code` is blank or a comment and nothing else.

    A line inside a string that looks like a comment is none.
    """
    texts = split_lines(code)
    marked = [line for line in lines if texts[line].strip()]
    if not all(texts[line].lstrip().startswith("#") for line in marked):
        return False
    commented = _comment_lines(code)
    return commented is None or commented.issuperset(marked)


def _comment_lines(code: str) -> set[int] | None:
    """Lines (from 0) on which a comment starts; None where `code` cannot be split into tokens."""
    try:
        return {
            token.start[0] - 1
            for token in tokenize.generate_tokens(io.StringIO(code, newline="\n").readline)
            if token.type == tokenize.COMMENT
        }
    except (tokenize.TokenError, SyntaxError):
        return None
