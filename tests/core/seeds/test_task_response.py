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
    ("text", "fault"),
    [
        ("", Fault.EMPTY),
        (response(examples=" "), Fault.MISSING_SECTION),
        (response().replace("</tags>", ""), Fault.MISSING_SECTION),
        (response() + "<task>Another.</task>", Fault.REPEATED_SECTION),
        (response(signature="add(x, y)"), Fault.BAD_SIGNATURE),
        (response(signature="class Add:"), Fault.BAD_SIGNATURE),
        (response(signature="def add(x):\n    return 1\ndef b(): "), Fault.BAD_SIGNATURE),
    ],
)
def test_each_way_of_being_malformed_has_its_name(text: str, fault: Fault) -> None:
    with pytest.raises(MalformedError) as caught:
        read_task(text)
    assert caught.value.fault is fault
