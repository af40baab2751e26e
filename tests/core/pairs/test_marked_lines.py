"""Two programs as one text: what went, what came and what stayed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.pairs.config import Difference
from iterpref_assets.core.pairs.difference import line_difference, marked_lines, pair_lines

PROGRAMS = st.lists(st.sampled_from(["a", "b", "", "-c", "+d"]), min_size=1, max_size=8).map(
    "\n".join
)


def test_lines_that_went_come_before_those_that_came():
    assert marked_lines("a\nx\nb", "a\ny\nz\nb", [1], [1, 2]) == " a\n-x\n+y\n+z\n b"


@given(PROGRAMS, PROGRAMS, st.sampled_from(Difference))
def test_both_programs_can_be_read_off_and_the_marks_are_the_difference(old, new, method):
    found = line_difference(new, old, method)
    lines = marked_lines(old, new, found.rejected, found.chosen).split("\n")
    before = [line for line in lines if line[0] != "+"]
    after = [line for line in lines if line[0] != "-"]
    assert "\n".join(line[1:] for line in before) == old
    assert "\n".join(line[1:] for line in after) == new
    assert [n for n, line in enumerate(before) if line[0] == "-"] == found.rejected
    assert [n for n, line in enumerate(after) if line[0] == "+"] == found.chosen


def test_unmarked_lines_that_are_not_shared_are_an_error():
    with pytest.raises(ValueError, match="not shared"):
        marked_lines("a\nb", "a", [], [])


def test_a_pair_that_was_too_long_to_be_compared_says_so():
    pair = {"rejected": "a" * 2000, "chosen": "b", "rejected_diff_lines": []}
    told = " (y- has 2,000 characters, y+ 1: too long to be compared)"
    assert pair_lines(pair | {"chosen_diff_lines": []}) == told
