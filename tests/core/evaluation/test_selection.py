import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.selection import select_tasks

NAMES = ["HumanEval/0", "HumanEval/1", "HumanEval/2", "HumanEval/10"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("HumanEval/1", {"HumanEval/1"}),
        ("1", {"HumanEval/1"}),
        ("0-2", {"HumanEval/0", "HumanEval/1", "HumanEval/2"}),
        ("HumanEval/2-10", {"HumanEval/2", "HumanEval/10"}),
        ("0, 10", {"HumanEval/0", "HumanEval/10"}),
    ],
)
def test_tasks_are_chosen_by_id_number_and_range(wanted, chosen):
    assert select_tasks(wanted, NAMES) == chosen


def test_an_id_that_ends_in_letters_is_chosen_whole():
    assert select_tasks("abc387_b", ["abc387_b", "abc388_a"]) == {"abc387_b"}


@pytest.mark.parametrize("wanted", ["7", "3-9", "HumanEval/x", "1,7", ","])
def test_what_names_no_task_is_refused(wanted):
    with pytest.raises(InputError, match="--tasks"):
        select_tasks(wanted, NAMES)
