"""D+ and D- by syntax-tree nodes: the smallest nodes of one program that the other does not share.

Two trees are walked side by side. Where nodes are of one type, only what differs below them counts;
statements and other lists are matched by their longest common subsequence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, TypeAlias

from rapidfuzz.distance import LCSseq

from iterpref_assets.core.pairs.difference import split_lines
from iterpref_assets.core.syntax import has_lone_return, parse

Span: TypeAlias = tuple[int, int]
"""Characters [start, end) of a program."""


@dataclass(frozen=True, slots=True)
class NodeDifference:
    """Characters of D+ within y+ (`chosen`) and of D- within y- (`rejected`)."""

    chosen: list[Span]
    rejected: list[Span]


def node_difference(chosen: str, rejected: str) -> NodeDifference | None:
    """The difference of two programs, or None where one is no Python or has lines of another kind.

    An operator has no place of its own in a program and an f-string none for its parts: the node
    around them counts whole. A side is empty where it only lacks what the other has.
    """
    if has_lone_return(chosen) or has_lone_return(rejected):
        return None
    ours, theirs = parse(chosen), parse(rejected)
    if ours is None or theirs is None:
        return None
    marks = _Marks()
    try:
        _compare(ours, theirs, (ours, theirs), marks)
    except RecursionError:
        return None
    return NodeDifference(_spans(chosen, marks.chosen), _spans(rejected, marks.rejected))


@dataclass
class _Marks:
    chosen: list[ast.AST] = field(default_factory=list[ast.AST])
    rejected: list[ast.AST] = field(default_factory=list[ast.AST])

    def both(self, around: tuple[ast.AST, ast.AST]) -> None:
        self.chosen.append(around[0])
        self.rejected.append(around[1])


def _compare(
    first: ast.AST, second: ast.AST, around: tuple[ast.AST, ast.AST], marks: _Marks
) -> None:
    """Mark what differs; `around` are the innermost nodes that have a place, themselves aside."""
    if ast.dump(first) == ast.dump(second):
        return
    within = _placed(first, around[0]), _placed(second, around[1])
    if type(first) is not type(second) or isinstance(first, ast.JoinedStr):
        marks.both(within)
        return
    for name in first._fields:
        ours, theirs = getattr(first, name, None), getattr(second, name, None)
        if isinstance(ours, list) and isinstance(theirs, list):
            _compare_lists(ours, theirs, within, marks)
        elif isinstance(ours, ast.AST) and isinstance(theirs, ast.AST):
            _compare(ours, theirs, within, marks)
        elif isinstance(ours, ast.AST):
            marks.chosen.append(_placed(ours, within[0]))
        elif isinstance(theirs, ast.AST):
            marks.rejected.append(_placed(theirs, within[1]))
        elif ours != theirs:
            marks.both(within)


def _compare_lists(
    ours: list[object], theirs: list[object], around: tuple[ast.AST, ast.AST], marks: _Marks
) -> None:
    texts = [_text(each) for each in ours], [_text(each) for each in theirs]
    numbers: dict[str, int] = {}
    first, second = ([numbers.setdefault(text, len(numbers)) for text in side] for side in texts)
    for mine, other in _unmatched(first, second):
        for one, two in zip_longest(mine, other):
            _compare_items(
                None if one is None else ours[one],
                None if two is None else theirs[two],
                around,
                marks,
            )


def _compare_items(
    ours: object, theirs: object, around: tuple[ast.AST, ast.AST], marks: _Marks
) -> None:
    if isinstance(ours, ast.AST) and isinstance(theirs, ast.AST):
        _compare(ours, theirs, around, marks)
        return
    if ours is not None:
        marks.chosen.append(_placed(ours, around[0]))
    if theirs is not None:
        marks.rejected.append(_placed(theirs, around[1]))


def _unmatched(first: list[int], second: list[int]) -> Iterator[tuple[list[int], list[int]]]:
    """The stretches between what two lists share, as places in each."""
    start, other_start = 0, 0
    for block in LCSseq.opcodes(first, second):
        if block.tag == "equal":
            yield (
                list(range(start, block.src_start)),
                list(range(other_start, block.dest_start)),
            )
            start, other_start = block.src_end, block.dest_end
    yield list(range(start, len(first))), list(range(other_start, len(second)))


def _text(item: object) -> str:
    return ast.dump(item) if isinstance(item, ast.AST) else repr(item)


def _placed(item: object, around: ast.AST) -> ast.AST:
    """`item` where a program shows its place, else the node around it."""
    return item if isinstance(item, ast.AST) and hasattr(item, "end_lineno") else around


def _spans(code: str, nodes: list[ast.AST]) -> list[Span]:
    """The characters of the nodes, sorted and without overlap; of a whole module all of them."""
    lines = split_lines(code)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def place(line: int, column: int) -> int:
        # ast counts bytes of UTF-8
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def span(node: Any) -> Span:
        if isinstance(node, ast.Module):
            return 0, len(code)
        return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)

    found = sorted(map(span, nodes))
    merged: list[Span] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
