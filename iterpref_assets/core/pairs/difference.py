"""D+ and D-: the lines of one program that the other does not share (METHOD.md, 1.5)."""

from __future__ import annotations

from dataclasses import dataclass

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
