"""What the tokens of D- are: lexical tokens of y- by kind, on the lines of D- and elsewhere."""

from __future__ import annotations

import io
import keyword
import token
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator

import polars as pl

from iterpref_assets.core import tables

KINDS: tables.Schema = {
    "pairs": pl.String(),
    "kind": pl.String(),
    "focal": pl.Int64(),
    "others": pl.Int64(),
}
"""One row a pair set and kind: lexical tokens of y- on lines of D-, and on its other lines."""

_LAYOUT = {
    token.NEWLINE, token.INDENT, token.DEDENT, token.ENDMARKER, tokenize.NL, tokenize.ENCODING,
}  # fmt: skip
_NAMES = {
    token.NUMBER: "number",
    token.STRING: "string",
    token.OP: "operator",
    tokenize.COMMENT: "comment",
}


def token_kinds(pair_set: str, rejected: Iterable[tuple[str, list[int]]]) -> pl.DataFrame:
    """KINDS of programs with the numbers (from 0) of their D- lines, most focal kind first."""
    focal, others = Counter[str](), Counter[str]()
    for code, lines in rejected:
        of_difference = set(lines)
        for line, kind in _lexical(code):
            (focal if line in of_difference else others)[kind] += 1
    kinds = sorted({*focal, *others}, key=lambda kind: (-focal[kind], kind))
    rows = [
        {"pairs": pair_set, "kind": kind, "focal": focal[kind], "others": others[kind]}
        for kind in kinds
    ]
    return pl.DataFrame(rows, schema=KINDS)


def _lexical(code: str) -> Iterator[tuple[int, str]]:
    """Line (from 0) and kind of each token up to where `code` is no Python any more."""
    try:
        for each in tokenize.generate_tokens(io.StringIO(code).readline):
            if each.type not in _LAYOUT:
                yield each.start[0] - 1, _kind(each)
    except (tokenize.TokenError, SyntaxError):
        return


def _kind(each: tokenize.TokenInfo) -> str:
    if each.type == token.NAME:
        return "keyword" if keyword.iskeyword(each.string) else "name"
    return _NAMES.get(each.type, "other")
