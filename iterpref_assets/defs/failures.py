"""Why a run failed, in one line: what its first failed step says of itself."""

from collections.abc import Iterable

import dagster as dg


def failure_reason(events: Iterable[dg.DagsterEvent]) -> str | None:
    """The first step that failed and why, or None where no step says.

    A step that ended with a description says that; of exceptions raised from one another it is the
    one at their root, below what Dagster and libraries put around it.

    Args:
        events: a run's step failures, in order.
    """
    for event in events:
        failure = event.step_failure_data
        if failure.user_failure_data is not None and failure.user_failure_data.description:
            return f"{event.step_key}: {failure.user_failure_data.description}"
        error = failure.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return f"{event.step_key}: {error.message.strip()}"
    return None
