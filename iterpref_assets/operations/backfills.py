"""Asset backfills on a running deployment: launched, followed, and what went wrong in them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from iterpref_assets.core.errors import InputError
from iterpref_assets.operations.graphql import Deployment
from iterpref_assets.operations.partitions import PartitionChoice, partitions_of_asset

POLL_SECONDS = 1.0

_LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionKeysNotFoundError { message }
    ... on UnauthorizedError { message }
  }
}
"""

_STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill {
      status
      error { message }
      assetBackfillData { assetBackfillStatuses {
        ... on AssetPartitionsStatusCounts {
          assetKey { path }
          numPartitionsTargeted numPartitionsMaterialized numPartitionsFailed
        }
        ... on UnpartitionedAssetStatus { assetKey { path } materialized failed }
      } }
    }
    ... on PythonError { message }
    ... on BackfillNotFoundError { message }
  }
}
"""

_FAILED_RUNS = """
query FailedRuns($id: String!) {
  runsOrError(filter: {
    tags: [{key: "dagster/backfill", value: $id}], statuses: [FAILURE, CANCELED]
  }) { ... on Runs { results { runId status tags { key value } } } }
}
"""

_RUN_EVENTS = """
query Events($id: ID!) {
  logsForRun(runId: $id) { ... on EventConnection { events {
    __typename
    ... on ExecutionStepFailureEvent {
      stepKey error { message causes { message } } failureMetadata { description }
    }
    ... on RunFailureEvent { message }
  } } }
}
"""

_DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"

_RETRIED_AS = "dagster/auto_retry_run_id"

_SUCCEEDED = {"COMPLETED", "COMPLETED_SUCCESS"}
_ENDED = {*_SUCCEEDED, "COMPLETED_FAILED", "FAILED", "CANCELED"}


@dataclass(frozen=True)
class AssetProgress:
    """How far a backfill is with one asset, in partitions."""

    asset: str
    targeted: int
    materialized: int
    failed: int


@dataclass(frozen=True)
class BackfillProgress:
    """How far a backfill is; `error` is what stopped the backfill itself."""

    status: str
    assets: tuple[AssetProgress, ...]
    error: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in _ENDED

    @property
    def succeeded(self) -> bool:
        """Whether it has ended and nothing stopped it, though runs of it may have failed."""
        return self.status in _SUCCEEDED


@dataclass(frozen=True)
class FailedRun:
    """A run of a backfill that did not succeed, over one partition or a range of them."""

    run_id: str
    partitions: str
    reason: str


def launch_chosen(
    deployment: Deployment, assets: Sequence[str], choice: PartitionChoice
) -> str | None:
    """Start a backfill of the chosen partitions; its id, or None where there is none to make.

    Raises:
        InputError: where the deployment lacks an asset or a partition, or refuses the backfill.
    """
    keys = choice.keys([partitions_of_asset(deployment, asset) for asset in dict.fromkeys(assets)])
    return None if keys == () else launch(deployment, assets, keys)


def launch(deployment: Deployment, assets: Sequence[str], partitions: Sequence[str] | None) -> str:
    """Start a backfill of some partitions (None: all, whatever the assets' partitions are).

    Returns:
        The backfill's id.

    Raises:
        InputError: with the deployment's reason, where it refuses.
    """
    params: dict[str, Any] = {
        "assetSelection": [{"path": asset.split("/")} for asset in assets],
        "title": f"iterpref backfill {' '.join(assets)}"[:100],
        "tags": [],
    }
    params |= {"allPartitions": True} if partitions is None else {"partitionNames": [*partitions]}
    answer = deployment.ask(_LAUNCH, params=params)["launchPartitionBackfill"]
    if answer["__typename"] != "LaunchBackfillSuccess":
        reason = answer.get("message", answer["__typename"])
        raise InputError(
            f"the deployment refused the backfill: {reason}",
            file=deployment.url,
            remedy="See the deployment's log",
        )
    return answer["backfillId"]


def backfill_daemon_runs(deployment: Deployment) -> bool:
    """Whether the daemon that carries out backfills is alive."""
    statuses = deployment.ask(_DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return any(found["daemonType"] == "BACKFILL" and found["healthy"] for found in statuses)


def follow(
    deployment: Deployment, backfill: str, *, poll_seconds: float = POLL_SECONDS
) -> Iterator[BackfillProgress]:
    """How far the backfill is, again and again until it has ended."""
    while True:
        progress = _progress(deployment, backfill)
        yield progress
        if progress.ended:
            return
        time.sleep(poll_seconds)


def failed_runs(deployment: Deployment, backfill: str) -> list[FailedRun]:
    """The backfill's runs that failed or were cancelled, with the first reason of each.

    A crashed run that was retried is left out: its retry is of the backfill, too.
    """
    runs = deployment.ask_again(_FAILED_RUNS, id=backfill)["runsOrError"]["results"]
    return [
        FailedRun(run["runId"], _partitions(run["tags"]), _reason(deployment, run))
        for run in runs
        if not any(tag["key"] == _RETRIED_AS for tag in run["tags"])
    ]


def _progress(deployment: Deployment, backfill: str) -> BackfillProgress:
    found = deployment.ask_again(_STATUS, id=backfill)["partitionBackfillOrError"]
    if found["__typename"] != "PartitionBackfill":
        raise InputError(
            f"backfill {backfill}: {found['message']}",
            file=deployment.url,
            remedy="Look for it in the UI under Runs, Backfills",
        )
    counts = found["assetBackfillData"]["assetBackfillStatuses"]
    error = found["error"]
    return BackfillProgress(
        found["status"],
        tuple(_asset_progress(count) for count in counts),
        None if error is None else error["message"].strip(),
    )


def _asset_progress(count: dict[str, Any]) -> AssetProgress:
    asset = "/".join(count["assetKey"]["path"])
    if "materialized" in count:
        return AssetProgress(asset, 1, int(count["materialized"]), int(count["failed"]))
    return AssetProgress(
        asset,
        targeted=count["numPartitionsTargeted"],
        materialized=count["numPartitionsMaterialized"],
        failed=count["numPartitionsFailed"],
    )


def _partitions(tags: Sequence[dict[str, str]]) -> str:
    named = {tag["key"]: tag["value"] for tag in tags}
    first = named.get("dagster/asset_partition_range_start", named.get("dagster/partition"))
    last = named.get("dagster/asset_partition_range_end", first)
    return first or "all" if first == last else f"{first}...{last}"


def _reason(deployment: Deployment, run: dict[str, Any]) -> str:
    if run["status"] == "CANCELED":
        return "cancelled"
    events = deployment.ask_again(_RUN_EVENTS, id=run["runId"])["logsForRun"]["events"]
    for event in events:
        if event["__typename"] == "ExecutionStepFailureEvent":
            return f"{event['stepKey']}: {_step_reason(event)}"
    messages = [event["message"] for event in events if event["__typename"] == "RunFailureEvent"]
    return messages[-1] if messages else "failed"


def _step_reason(event: dict[str, Any]) -> str:
    metadata, error = event["failureMetadata"], event["error"]
    if metadata is not None and metadata["description"]:
        return metadata["description"]
    # The last cause is the root: what `defs.failures` says where it can ask Dagster itself.
    return [error, *error["causes"]][-1]["message"].strip()
