"""D+ and D-: the lines of one program that the other does not share (METHOD.md, 1.5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import LCSseq

from iterpref_assets.core.pairs.config import Difference


@dataclass(frozen=True, slots=True)
class LineDifference:
    """Line numbers from 0, ascending: D+ within y+ (`chosen`), D- within y- (`rejected`)."""

    chosen: list[int]
    rejected: list[int]


def split_lines(code: str) -> list[str]:
    r"""The lines of `code` without their ends; only "\n" ends a line."""
    return code.split("\n")


def line_difference(chosen: str, rejected: str, method: Difference) -> LineDifference:
    """The lines of the critical difference of two programs."""
    chosen_ids, rejected_ids = _intern(split_lines(chosen), split_lines(rejected))
    if method is Difference.PREFIX_SUFFIX:
        return _prefix_suffix(chosen_ids, rejected_ids)
    return _lcs(chosen_ids, rejected_ids)


def _intern(first: list[str], second: list[str]) -> tuple[list[int], list[int]]:
    # Small integers instead of texts: the matcher hashes what it is given, and the hash of a
    # text changes with every process.
    ids: dict[str, int] = {}
    return (
        [ids.setdefault(line, len(ids)) for line in first],
        [ids.setdefault(line, len(ids)) for line in second],
    )


def _lcs(chosen: list[int], rejected: list[int]) -> LineDifference:
    difference = LineDifference([], [])
    for edit in LCSseq.editops(rejected, chosen):
        if edit.tag == "delete":
            difference.rejected.append(edit.src_pos)
        else:
            difference.chosen.append(edit.dest_pos)
    return difference


def _prefix_suffix(chosen: list[int], rejected: list[int]) -> LineDifference:
    shorter = min(len(chosen), len(rejected))
    prefix = 0
    while prefix < shorter and chosen[prefix] == rejected[prefix]:
        prefix += 1
    suffix = 0
    while suffix < shorter - prefix and chosen[-1 - suffix] == rejected[-1 - suffix]:
        suffix += 1
    return LineDifference(
        list(range(prefix, len(chosen) - suffix)), list(range(prefix, len(rejected) - suffix))
    )


def marked_lines(old: str, new: str, removed: Collection[int], added: Collection[int]) -> str:
    """Two programs as one text: `-` before lines of `old` alone, `+` before those of `new` alone.

    A blank stands before shared lines. Where both differ, the lines of `old` come first.

    Args:
        old: a program.
        new: another.
        removed: numbers, from 0, of the lines that `old` alone has.
        added: those that `new` alone has.

    Raises:
        ValueError: where the lines that are in neither are not shared.
    """
    gone, come = set(removed), set(added)
    before, after = split_lines(old), split_lines(new)
    if _without(before, gone) != _without(after, come):
        raise ValueError("the lines that are not marked are not shared")
    marked: list[str] = []
    i = j = 0
    while i < len(before) or j < len(after):
        if i in gone:
            marked.append(f"-{before[i]}")
            i += 1
        elif j in come:
            marked.append(f"+{after[j]}")
            j += 1
        else:
            marked.append(f" {before[i]}")
            i, j = i + 1, j + 1
    return "\n".join(marked)


def _without(lines: list[str], numbers: set[int]) -> list[str]:
    return [line for number, line in enumerate(lines) if number not in numbers]


def pair_lines(pair: Mapping[str, Any]) -> str:
    """The marked lines of a row of tables.PAIRS, from y- to y+: `-` marks D-, `+` marks D+."""
    rejected, chosen = pair["rejected"], pair["chosen"]
    removed, added = pair["rejected_diff_lines"], pair["chosen_diff_lines"]
    if not removed and not added and rejected != chosen:
        sizes = f"y- has {len(rejected):,} characters, y+ {len(chosen):,}"
        return f" ({sizes}: too long to be compared)"
    return marked_lines(rejected, chosen, removed, added)
