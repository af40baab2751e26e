import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.pairs.config import Difference
from iterpref_assets.core.pairs.difference import LineDifference, line_difference

programs = st.lists(
    st.sampled_from(["a", "b", "c", "", "    d", "a\u2028b", "a\x85", "\x0c"]), max_size=12
).map("\n".join)


def _without(text: str, lines: list[int]) -> list[str]:
    return [line for number, line in enumerate(text.split("\n")) if number not in lines]


def _lcs_length(first: list[str], second: list[str]) -> int:
    row = [0] * (len(second) + 1)
    for a in first:
        before = 0
        for j, b in enumerate(second):
            above = row[j + 1]
            row[j + 1] = before + 1 if a == b else max(row[j], above)
            before = above
    return row[-1]


def test_a_replaced_line_is_in_both_differences():
    assert line_difference("a\nX\nc", "a\nY\nc", Difference.LCS) == LineDifference([1], [1])


def test_only_a_newline_ends_a_line():
    chosen, rejected = "s = 'a\u2028b'\n\x0c\nX", "s = 'a\u2028c'\n\x0c\nX"
    assert line_difference(chosen, rejected, Difference.LCS) == LineDifference([0], [0])


def test_added_lines_leave_the_rejected_difference_empty():
    assert line_difference("a\nb\nc", "a\nc", Difference.LCS) == LineDifference([1], [])


def test_lcs_keeps_shared_lines_between_two_changes():
    found = line_difference("p\nX\nkeep\nY\ns", "p\nkeep\nZ\ns", Difference.LCS)
    assert found == LineDifference([1, 3], [2])


def test_prefix_suffix_marks_everything_between_the_first_and_last_change():
    found = line_difference("p\nX\nkeep\nY\ns", "p\nkeep\nZ\ns", Difference.PREFIX_SUFFIX)
    assert found == LineDifference([1, 2, 3], [1, 2])


def test_prefix_and_suffix_never_overlap():
    assert line_difference("a\na\na", "a\na", Difference.PREFIX_SUFFIX) == LineDifference([2], [])


@given(chosen=programs, rejected=programs)
def test_what_lcs_leaves_is_the_same_on_both_sides_and_as_long_as_can_be(chosen, rejected):
    found = line_difference(chosen, rejected, Difference.LCS)
    common = _without(chosen, found.chosen)
    assert common == _without(rejected, found.rejected)
    assert len(common) == _lcs_length(chosen.split("\n"), rejected.split("\n"))


@given(chosen=programs, rejected=programs)
def test_what_prefix_suffix_leaves_is_the_same_on_both_sides(chosen, rejected):
    found = line_difference(chosen, rejected, Difference.PREFIX_SUFFIX)
    assert _without(chosen, found.chosen) == _without(rejected, found.rejected)


def test_the_difference_does_not_depend_on_the_hash_seed():
    code = (
        "from iterpref_assets.core.pairs.difference import line_difference as d\n"
        "print(d('a\\nb\\nc\\nb\\na', 'b\\na\\nc\\na\\nb', 'lcs'))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(answers) == 1
