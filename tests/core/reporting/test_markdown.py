from iterpref_assets.core.reporting import markdown

PAIR = {
    "pair_id": "p/0:0-1",
    "chosen": "a\nY\nc\nd",
    "rejected": "a\nX\nc",
    "chosen_round": 1,
    "rejected_round": 0,
    "chosen_diff_lines": [1, 3],
    "rejected_diff_lines": [1],
    "dropped_by": None,
}


def test_a_pair_is_shown_as_a_diff_from_rejected_to_chosen():
    assert markdown.pair_difference(PAIR) == (
        "**p/0:0-1**: round 0 (rejected) to 1 (chosen)\n\n```diff\n a\n-X\n+Y\n c\n+d\n```\n"
    )


def test_a_dropped_pair_says_by_what():
    assert "dropped by equal_ast" in markdown.pair_difference(PAIR | {"dropped_by": "equal_ast"})


def test_a_fence_in_the_code_does_not_end_the_block():
    shown = markdown.pair_difference(PAIR | {"chosen": "a\nY\nc\n```", "rejected": "a\nX\nc"})
    assert "````diff\n" in shown
    assert shown.endswith("+```\n````\n")


def test_numbers_stand_right_and_have_separators():
    assert markdown.table(["What", "Count"], [["kept", 12345], ["a|b", 0]]) == (
        "| What | Count |\n| --- | ---: |\n| kept | 12,345 |\n| a\\|b | 0 |\n"
    )
