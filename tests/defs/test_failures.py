"""A failed run is told of by what its first failed step says of itself."""

import itertools

import dagster as dg
import pytest

from iterpref_assets.defs.failures import failure_reason


def reason(error: Exception) -> str | None:
    """The reason of a run whose only step raises `error`."""

    @dg.op
    def step() -> None:
        raise error

    @dg.job
    def run() -> None:
        step()

    with dg.DagsterInstance.ephemeral() as instance:
        result = run.execute_in_process(instance=instance, raise_on_error=False)
    return failure_reason(result.get_step_failure_events())


def chained(*errors: Exception) -> Exception:
    """The first of the errors, raised from the second, and so on."""
    for outer, inner in itertools.pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_root_of_a_chain_of_exceptions_is_told(depth: int) -> None:
    errors = [ValueError(f"error {number}") for number in range(depth)]
    assert reason(chained(*errors)) == f"step: ValueError: error {depth - 1}"


def test_a_description_is_told_in_place_of_the_exception() -> None:
    error = chained(dg.Failure("no such file", allow_retries=False), OSError("errno 2"))
    assert reason(error) == "step: no such file"


def test_of_no_failed_step_nothing_is_told() -> None:
    assert failure_reason([]) is None
