import pytest

from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.sandbox.on_demand import judging
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

ONE = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),))


def test_no_sandbox_is_opened_where_no_program_is_judged() -> None:
    with judging(pytest.fail, Limits()):
        pass


@pytest.mark.sandbox
def test_one_sandbox_judges_all_programs_and_is_closed_at_the_end() -> None:
    opened: list[Sandbox] = []

    def open_sandbox() -> Sandbox:
        opened.append(Sandbox(workers=1))
        return opened[-1]

    with judging(open_sandbox, Limits()) as judge:
        assert judge("def f(): return 1", ONE).verdict is Verdict.PASSED
        assert judge("def f(): return 2", ONE).verdict is Verdict.WRONG_ANSWER
    assert len(opened) == 1
    with pytest.raises(Exception, match="closed"):
        opened[0].judge("def f(): return 1", ONE)
