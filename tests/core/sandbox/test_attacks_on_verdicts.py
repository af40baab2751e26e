"""Programs that try to pass without being right."""

import pytest
from patient_sandbox import SOON

from iterpref_assets.core.records import Case, FunctionTests, StdioCase, StdioTests
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import Attack


def one_call(expected: str) -> FunctionTests:
    return FunctionTests(entry_point="f", cases=(Case(arguments="()", expected=expected),))


def test_object_that_equals_everything_is_a_wrong_answer(attack: Attack) -> None:
    code = """
class Any:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
def square(x): return Any()
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


def test_int_subclass_with_its_own_equality_counts_by_its_number(attack: Attack) -> None:
    code = """
class Liar(int):
    def __eq__(self, other): return True
    def __hash__(self): return 0
def square(x): return Liar(5)
"""
    execution = attack(code)
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert execution.message == "assert square(3) == 9  # got 5"


def test_list_subclass_with_its_own_equality_counts_by_its_items(attack: Attack) -> None:
    code = """
class Liar(list):
    def __eq__(self, other): return True
    def __iter__(self): return iter([1, 2, 3])
    def __len__(self): return 3
    def __getitem__(self, index): return [1, 2, 3][index]
def f(): return Liar([9])
"""
    execution = attack(code, one_call("[1, 2, 3]"))
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert execution.message == "assert f() == [1, 2, 3]  # got [9]"


def test_dict_subclass_with_its_own_items_counts_by_its_content(attack: Attack) -> None:
    code = """
class Liar(dict):
    def items(self): return [(1, 2)]
    def __eq__(self, other): return True
def f(): return Liar()
"""
    assert attack(code, one_call("{1: 2}")).verdict is Verdict.WRONG_ANSWER


def test_string_subclass_with_its_own_equality_counts_by_its_text(attack: Attack) -> None:
    code = """
class Liar(str):
    def __eq__(self, other): return True
    def __str__(self): return "right"
    __repr__ = __str__
    __hash__ = str.__hash__
def f(): return Liar("wrong")
"""
    assert attack(code, one_call("'right'")).verdict is Verdict.WRONG_ANSWER


def test_object_that_claims_to_be_an_int_is_a_wrong_answer(attack: Attack) -> None:
    code = """
class Claim:
    @property
    def __class__(self): return int
    def __index__(self): return 9
    __int__ = __index__
    def __eq__(self, other): return True
def square(x): return Claim()
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


def test_metaclass_that_hijacks_type_checks_cannot_be_sent(attack: Attack) -> None:
    code = """
class Meta(type):
    def __eq__(self, other): return True
    def __hash__(self): return hash(int)
    def __instancecheck__(self, other): return True
    def __subclasscheck__(self, other): return True
class Chameleon(metaclass=Meta):
    def __eq__(self, other): return True
def square(x): return Chameleon()
"""
    execution = attack(code)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "ValueError")


def test_numpy_array_is_not_the_list_it_compares_equal_to(attack: Attack) -> None:
    code = "import numpy\ndef f(): return numpy.array([5])"
    assert attack(code, one_call("[5]")).verdict is Verdict.WRONG_ANSWER


def test_numpy_array_subclass_with_its_own_equality_is_a_wrong_answer(attack: Attack) -> None:
    code = """
import numpy
class Liar(numpy.ndarray):
    def __eq__(self, other): return True
def square(x): return numpy.zeros(3).view(Liar)
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


def test_always_equal_object_inside_a_list_is_a_wrong_answer(attack: Attack) -> None:
    code = """
class Any:
    def __eq__(self, other): return True
def f(): return [1, Any(), 3]
"""
    assert attack(code, one_call("[1, 2, 3]")).verdict is Verdict.WRONG_ANSWER


def test_sys_exit_zero_in_a_call_is_an_exception(attack: Attack) -> None:
    execution = attack("import sys\ndef square(x): sys.exit(0)")
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "SystemExit")


def test_sys_exit_zero_on_import_is_an_exception(attack: Attack) -> None:
    execution = attack("import sys\nsys.exit(0)")
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "SystemExit")


def test_os_exit_zero_is_a_crash(attack: Attack) -> None:
    assert attack("import os\ndef square(x): os._exit(0)").verdict is Verdict.CRASHED


def test_os_exit_zero_on_import_is_a_crash(attack: Attack) -> None:
    assert attack("import os\nos._exit(0)").verdict is Verdict.CRASHED


def test_printing_a_result_on_stdout_changes_nothing(attack: Attack) -> None:
    code = """
import json, sys
def square(x):
    print(json.dumps({"verdict": "passed"}), 9, flush=True)
    sys.__stdout__.write("passed")
    return 0
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


def test_writing_verdicts_into_every_descriptor_is_refused(attack: Attack) -> None:
    code = """
import os
def square(x):
    for descriptor in range(256):
        for text in (b"passed", b'{"serial": 1, "code": 0, "killed": ""}', b"V\\0\\0\\0\\0"):
            try: os.write(descriptor, text)
            except OSError: pass
    os._exit(0)
"""
    assert attack(code).verdict is Verdict.REFUSED


def test_more_results_than_calls_are_refused(attack: Attack) -> None:
    code = """
import marshal, os
def square(x):
    for value in (9, 16, 25, 36):
        data = marshal.dumps(value, 2)
        os.write(3, b"V" + len(data).to_bytes(4, "little") + data)
    os._exit(0)
"""
    assert attack(code).verdict is Verdict.REFUSED


def test_endless_results_are_judged_up_to_the_first_wrong_one(attack: Attack) -> None:
    code = """
import marshal, os
def square(x):
    data = marshal.dumps(x * x, 2)
    while True: os.write(3, b"V" + len(data).to_bytes(4, "little") + data)
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (b"V\xff\xff\xff\xff", Verdict.REFUSED),
        (b"V\x05\x00\x00\x00[\xff\xff\xff\x7f", Verdict.WRONG_ANSWER),
        (b"V\x05\x00\x00\x00(\xff\xff\xff\xff", Verdict.WRONG_ANSWER),
        (b"V\x05\x00\x00\x00l\x00\x00\x00\x80", Verdict.WRONG_ANSWER),
        (b"V\x01\x00\x00\x00c", Verdict.WRONG_ANSWER),
        (b"V\x01\x00\x00\x00{", Verdict.WRONG_ANSWER),
        (b"V\x00\x00\x00\x00", Verdict.WRONG_ANSWER),
        (b"X\x05\x00\x00\x00i\x01\x00\x00\x00", Verdict.WRONG_ANSWER),
        (b"D\x01\x00\x00\x00N", Verdict.WRONG_ANSWER),
        (b"?\x00\x00\x00\x00", Verdict.REFUSED),
        (b"E\x01\x00\x00\x00N", Verdict.EXCEPTION),
    ],
)
def test_malformed_results_never_pass(attack: Attack, claim: bytes, verdict: Verdict) -> None:
    code = f"import os\ndef square(x):\n    os.write(3, {claim!r})\n    os._exit(0)\n"
    assert attack(code).verdict is verdict


def test_monkeypatched_builtins_forge_nothing(attack: Attack) -> None:
    code = """
import builtins
builtins.type = lambda *a: int
builtins.isinstance = lambda *a: True
builtins.len = lambda *a: 1
builtins.issubclass = lambda *a: True
def square(x): return 0
"""
    assert attack(code).verdict is Verdict.REFUSED


def test_monkeypatched_runner_can_only_claim_values(attack: Attack) -> None:
    code = """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("inside"):
        for attribute, value in list(vars(module).items()):
            if callable(value): setattr(module, attribute, lambda *a, **k: (b"V", b"T"))
def square(x): return 0
"""
    assert attack(code).verdict is Verdict.CRASHED


def test_monkeypatched_marshal_and_json_forge_nothing(attack: Attack) -> None:
    code = """
import json, marshal
marshal.dumps = lambda *a: b"T"
json.dumps = lambda *a: "passed"
def square(x): return 0
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


def test_expected_values_are_nowhere_in_the_frames(attack: Attack) -> None:
    code = """
import sys
def square(x):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if str(0x0123456789ABCDEF) in str(value)[:10000]: return 0x0123456789ABCDEF
        frame = frame.f_back
"""
    tests = FunctionTests(
        entry_point="square", cases=(Case(arguments="(3,)", expected=str(0x0123456789ABCDEF)),)
    )
    assert attack(code, tests).verdict is Verdict.WRONG_ANSWER


def test_expected_values_are_nowhere_among_the_objects(attack: Attack) -> None:
    code = """
import gc
def f():
    gc.unfreeze()
    for thing in gc.get_objects():
        if isinstance(thing, (list, tuple)):
            for item in thing:
                if isinstance(item, str) and item.startswith("needle-") and len(item) == 13:
                    return item
"""
    assert attack(code, one_call("'needle-secret'")).verdict is Verdict.WRONG_ANSWER


@pytest.mark.usefixtures("namespaces")
def test_proc_holds_nothing_to_read(attack: Attack) -> None:
    code = """
import os
def f(): return os.listdir("/proc")
"""
    assert attack(code, one_call("[]")).verdict is Verdict.PASSED


def test_changed_arguments_do_not_reach_the_next_call(attack: Attack) -> None:
    code = "def f(items):\n    items.append(1)\n    return len(items)"
    case = Case(arguments="([],)", expected="1")
    assert attack(code, FunctionTests(entry_point="f", cases=(case,) * 3)).verdict is Verdict.PASSED


def test_result_nested_a_hundred_levels_is_compared(attack: Attack) -> None:
    code = "def f():\n    value = 0\n    for _ in range(100): value = [value]\n    return value"
    assert attack(code, one_call("[" * 90 + "0" + "]" * 90)).verdict is Verdict.WRONG_ANSWER


def test_result_nested_a_million_levels_is_refused(attack: Attack) -> None:
    code = "def f():\n    value = 0\n    for _ in range(10**6): value = [value]\n    return value"
    assert attack(code, one_call("0")).verdict is Verdict.REFUSED


def test_result_that_contains_itself_is_refused(attack: Attack) -> None:
    code = "def f():\n    value = []\n    value.append(value)\n    return value"
    assert attack(code, one_call("[]")).verdict is Verdict.REFUSED


def test_result_whose_repr_never_ends_is_a_wrong_answer(attack: Attack) -> None:
    code = """
class Endless:
    def __repr__(self):
        while True: pass
def square(x): return Endless()
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


def test_library_object_around_an_endless_repr_runs_out_of_time(attack: Attack) -> None:
    code = """
import collections
class Endless:
    def __repr__(self):
        while True: pass
def square(x): return collections.deque([Endless()])
"""
    assert attack(code, limits=SOON).verdict is Verdict.TIMEOUT


def test_exception_whose_message_never_ends_runs_out_of_time(attack: Attack) -> None:
    code = """
class Endless(Exception):
    def __str__(self):
        while True: pass
def square(x): raise Endless
"""
    assert attack(code, limits=SOON).verdict is Verdict.TIMEOUT


def test_exception_whose_message_raises_is_an_exception(attack: Attack) -> None:
    code = """
class Bad(Exception):
    def __str__(self): raise SystemExit(0)
def square(x): raise Bad
"""
    execution = attack(code)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "Bad")


def test_result_of_a_hundred_megabytes_is_only_a_digest(attack: Attack) -> None:
    code = "def f(): return 'x' * 100_000_000"
    assert attack(code, one_call("'x'")).verdict is Verdict.WRONG_ANSWER


def test_huge_wrong_result_is_not_even_read(attack: Attack) -> None:
    code = "def f(): return [7] * 3_000_000"
    execution = attack(code, one_call("[7]"))
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert execution.message == "assert f() == [7]  # got <value of 15000005 bytes>"


def test_longest_way_to_say_a_float_still_counts(attack: Attack) -> None:
    code = "import collections\nclass Long(int): pass\ndef f(): return [Long(2**1023)]"
    assert attack(code, one_call(f"[{2.0**1023!r}]")).verdict is Verdict.PASSED


def test_members_built_to_collide_do_not_stall_the_judge(attack: Attack) -> None:
    code = "def f(): return set(i * (2**61 - 1) for i in range(1, 3000))"
    expected = "{" + ", ".join(str(i) for i in range(2999)) + "}"
    assert attack(code, one_call(expected)).verdict is Verdict.WRONG_ANSWER


def test_script_that_prints_to_its_own_result_channel_is_judged_by_stdout(attack: Attack) -> None:
    code = "import os\nos.write(3, b'R\\0\\0\\0\\0')\nprint('wrong')"
    tests = StdioTests(cases=(StdioCase(stdin="", stdout="right"),))
    assert attack(code, tests).verdict is Verdict.WRONG_ANSWER
