"""The filters that need no tokenizer (METHOD.md, 1.6): (i), (ii), (iv), and those of our own.

Filter (iii) counts tokens and is applied where pairs are tokenized; here it drops what is too long
by its characters alone.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize

from iterpref_assets.core.pairs.config import Filter, PairConfig
from iterpref_assets.core.pairs.difference import LineDifference, split_lines
from iterpref_assets.core.pairs.structure import Likeness, likeness
from iterpref_assets.core.scopes import names_of
from iterpref_assets.core.syntax import parse

CHARACTERS_PER_TOKEN = 64
"""More than any tokenizer packs into a token on average: code has 3 to 4."""

_STATEMENT = re.compile(
    r"^\s*(?:(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[(:]|import\s+\w"
    r"|from\s+[\w.]+\s+import\s|return\b|print\s*\(|[\w.]+\s*[-+*/%]?=[^=])",
    re.MULTILINE,
)
"""A line that prose does not have, where a program does not parse."""

_LIKENESS_FILTERS = {
    Likeness.EQUAL: Filter.EQUAL_AST,
    Likeness.FORMATTING: Filter.FORMATTING_ONLY,
}


def too_long(chosen: str, rejected: str, config: PairConfig) -> bool:
    """Whether a program is longer than `max_tokens` tokens could be: it is not even compared."""
    return max(len(chosen), len(rejected)) > config.max_tokens * CHARACTERS_PER_TOKEN


def first_filter(
    chosen: str,
    rejected: str,
    difference: LineDifference,
    config: PairConfig,
    entry_point: str | None = None,
) -> Filter | None:
    """The first filter that drops the pair, or None where it is kept.

    Equal texts count as equal trees, also where they do not parse. `entry_point` is the function
    that the tests ask for, where they ask for one.
    """
    if chosen == rejected:
        return Filter.EQUAL_AST
    if unusable := _unusable(rejected, entry_point):
        return unusable
    if not difference.rejected:
        return Filter.EMPTY_FOCUS
    if only_comments(rejected, difference.rejected):
        return Filter.ONLY_COMMENTS
    if len(difference.rejected) > config.max_diff_lines:
        return Filter.LONG_DIFFERENCE
    return _LIKENESS_FILTERS.get(likeness(chosen, rejected))


def _unusable(rejected: str, entry_point: str | None) -> Filter | None:
    if not is_program(rejected):
        return Filter.NO_PROGRAM
    missing = entry_point and not defines(rejected, entry_point)
    return Filter.NO_ENTRY_POINT if missing else None


def is_program(code: str) -> bool:
    """Whether `code` does something, or tries to where it does not parse."""
    tree = parse(code)
    if tree is None:
        return _STATEMENT.search(code) is not None
    return not all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.Name)
        for node in tree.body
    )


def defines(code: str, name: str) -> bool:
    """Whether a program binds `name` in its module, as far as that shows without running it."""
    tree = parse(code)
    if tree is None:
        return _seems_to_bind(code, name)
    if any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree)):
        return True
    try:
        _, names = names_of(code)
    except SyntaxError:
        return False
    except RecursionError:
        return _seems_to_bind(code, name)
    return name in names


def _seems_to_bind(code: str, name: str) -> bool:
    bound = rf"\b(?:def|class)\s+{re.escape(name)}\b|\b{re.escape(name)}\s*="
    return re.search(bound, code) is not None


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
