"""Lexical tokens of y- by kind."""

from iterpref_assets.core.experiment.kinds import token_kinds

CODE = "def f(x):\n    return x + 1  # one\n"


def counts(*rejected: tuple[str, list[int]]) -> dict[str, tuple[int, int]]:
    frame = token_kinds("random", rejected)
    return {kind: (focal, others) for _, kind, focal, others in frame.iter_rows()}


def test_tokens_are_counted_on_lines_of_the_difference_and_elsewhere():
    assert counts((CODE, [1])) == {
        "comment": (1, 0),
        "keyword": (1, 1),
        "name": (1, 2),
        "number": (1, 0),
        "operator": (1, 3),
    }


def test_layout_is_no_token():
    assert counts(("\n\n\n", [0, 1])) == {}


def test_counts_of_several_programs_add_up():
    assert counts(("x = 'a'", [0]), ("y = 'b'", [0]))["string"] == (2, 0)


def test_a_program_that_breaks_off_counts_up_to_there():
    assert counts(("x = (1", [0])) == {"operator": (2, 0), "name": (1, 0), "number": (1, 0)}


def test_the_most_frequent_kind_of_the_difference_stands_first():
    # two names against three operators: a bracket each and a comma
    frame = token_kinds("random", [("f(1, a)", [0])])
    assert frame["kind"].to_list() == ["operator", "name", "number"]
