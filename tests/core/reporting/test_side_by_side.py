import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.pairs.config import Difference
from iterpref_assets.core.pairs.difference import line_difference
from iterpref_assets.core.reporting.side_by_side import aligned_lines, pairs_page

PROGRAMS = st.lists(st.sampled_from("abc"), min_size=1, max_size=8).map("\n".join)


def pair(chosen: str, rejected: str, method: Difference = Difference.LCS) -> dict:
    found = line_difference(chosen, rejected, method)
    return {
        "pair_id": "p#0:0-1", "prompt": "Do <p>.", "chosen": chosen, "rejected": rejected,
        "chosen_round": 1, "rejected_round": 0, "chosen_diff_lines": found.chosen,
        "rejected_diff_lines": found.rejected, "dropped_by": None,
    }  # fmt: skip


def test_shared_lines_stand_side_by_side():
    rows = list(aligned_lines(pair("a\nx\ny\nb", "a\nz\nb")))
    assert rows == [
        ("a", "a", False), ("z", "x", True), (None, "y", True), ("b", "b", False),
    ]  # fmt: skip


@given(PROGRAMS, PROGRAMS, st.sampled_from(Difference))
def test_no_line_is_lost_and_only_lines_of_the_difference_differ(chosen, rejected, method):
    shown = pair(chosen, rejected, method)
    rows = list(aligned_lines(shown))
    assert [left for left, _, _ in rows if left is not None] == rejected.split("\n")
    assert [right for _, right, _ in rows if right is not None] == chosen.split("\n")
    assert all(left == right for left, right, differs in rows if not differs)
    marked = sum(left is not None for left, _, differs in rows if differs)
    assert marked == len(shown["rejected_diff_lines"])


def test_lines_of_one_side_that_are_not_marked_are_an_error():
    with pytest.raises(IndexError):
        list(aligned_lines(pair("a", "a\nb") | {"rejected_diff_lines": []}))


def test_programs_are_text_and_no_markup():
    page = pairs_page([pair("a < b", "<script>")], "Pairs")
    assert '<td class="minus">&lt;script&gt;</td><td class="plus">a &lt; b</td>' in page
    assert "Do &lt;p&gt;." in page
    assert "<script>" not in page
