"""A task is read from a response in one form."""

import pytest

from iterpref_assets.core.seeds.program_response import Fault, MalformedError, read_task

PARTS = {
    "task": "Add two numbers.", "signature": "def add(x: int, y: int) -> int:",
    "examples": "add(1, 2) == 3", "tags": "sums, numbers,",
}  # fmt: skip


def response(**changes: str) -> str:
    return "\n".join(f"<{name}>\n{text}\n</{name}>" for name, text in {**PARTS, **changes}.items())


def test_a_response_in_the_form_that_is_asked_for_is_read() -> None:
    task = read_task(response())
    assert (task.statement, task.entry_point) == ("Add two numbers.", "add")
    assert task.signature == "def add(x: int, y: int) -> int:"
    assert (task.examples, task.tags) == ("add(1, 2) == 3", ("sums", "numbers"))


@pytest.mark.parametrize(
    "signature",
    [
        "def add(x: int, y: int) -> int",
        "def add(x: int, y: int) -> int: ...",
        "def add(x: int, y: int) -> int:\n    pass",
        'def add(x: int, y: int) -> int:\n    """Add."""',
        "```python\ndef add(x: int, y: int) -> int:\n```",
    ],
)
def test_a_signature_is_the_line_alone_however_it_is_written(signature: str) -> None:
    task = read_task(response(signature=signature))
    assert (task.signature, task.entry_point) == (PARTS["signature"], "add")


def test_a_signature_keeps_the_imports_that_it_needs() -> None:
    signature = "from typing import List\n\ndef add(x: List[int]) -> int:"
    task = read_task(response(signature=signature))
    assert (task.signature, task.entry_point) == (signature, "add")


def test_sections_that_were_only_thought_of_do_not_count() -> None:
    thought = "<think>\nFirst <task>something</task>, perhaps.\n</think>\n"
    assert read_task(thought + response()) == read_task(response())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.EMPTY),
        (response(examples=" "), Fault.MISSING_SECTION),
        (response().replace("</tags>", ""), Fault.MISSING_SECTION),
        (response() + "<task>Another.</task>", Fault.REPEATED_SECTION),
        (response(signature="add(x, y)"), Fault.BAD_SIGNATURE),
        (response(signature="def add(x, y): return x + y"), Fault.BAD_SIGNATURE),
        (response(signature="x = 1\ndef add(x, y):"), Fault.BAD_SIGNATURE),
        (response(signature="class Add:"), Fault.BAD_SIGNATURE),
        (response(signature="def add(x):\n    return 1\ndef b(): "), Fault.BAD_SIGNATURE),
    ],
)
def test_each_way_of_being_malformed_has_its_name(text: str, fault: Fault) -> None:
    with pytest.raises(MalformedError) as caught:
        read_task(text)
    assert caught.value.fault is fault
