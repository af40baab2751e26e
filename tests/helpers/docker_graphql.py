"""What the tests ask of a deployment: to launch runs, and how they fared."""

from collections.abc import Sequence
from typing import Any

from iterpref_assets.operations.graphql import Deployment

REPOSITORY = {"repositoryLocationName": "iterpref", "repositoryName": "__repository__"}
ASSET_JOB = "__ASSET_JOB"

LAUNCH = """
mutation Launch($run: ExecutionParams!) {
  launchRun(executionParams: $run) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message }
  }
}
"""
RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status
      eventConnection(limit: 1000) {
        events {
          __typename
          ... on MessageEvent { message }
          ... on ErrorEvent { error { message cause { message } } }
        }
      }
    }
  }
}
"""
STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
RUNS = """
query Runs { runsOrError { ... on Runs { results { runId parentRunId status } } } }
"""
LOCATION = """
query Location { workspaceOrError { ... on Workspace {
  locationEntries { loadStatus locationOrLoadError { __typename } } } } }
"""
CANCEL = """
mutation Cancel($id: String!) {
  terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) { __typename }
}
"""
POOL = """
query Pool($name: String!) { instance { concurrencyLimit(concurrencyKey: $name) {
  activeSlotCount } } }
"""
MATERIALIZATIONS = """
query Assets { assetsOrError { ... on AssetConnection { nodes {
  key { path } assetMaterializations { runId partition } } } } }
"""


def launch(deployment: Deployment, assets: Sequence[str], partitions: Sequence[str]) -> str:
    """The id of a new run over some partition keys (none, one, or a range) that makes all anew."""
    if len(partitions) > 1:
        tags = {
            "dagster/asset_partition_range_start": partitions[0],
            "dagster/asset_partition_range_end": partitions[-1],
        }
    else:
        tags = {"dagster/partition": partitions[0]} if partitions else {}
    selection = [{"path": [asset]} for asset in assets]
    anew = {"ops": {asset: {"config": {"anew": True}} for asset in assets}}
    return launch_job(deployment, ASSET_JOB, tags, anew, assetSelection=selection)


def launch_job(
    deployment: Deployment, job: str, tags: dict[str, str], config: Any = None, **selection: Any
) -> str:
    """The id of a new run of a job."""
    answer = deployment.ask(
        LAUNCH,
        run={
            "selector": {**REPOSITORY, "jobName": job, **selection},
            "mode": "default",
            "runConfigData": config or {},
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        },
    )["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return answer["run"]["runId"]


def status(deployment: Deployment, run_id: str) -> str:
    return deployment.ask_again(STATUS, id=run_id)["runOrError"]["status"]


def messages(deployment: Deployment, run_id: str) -> list[str]:
    """What the run's log says, errors with their causes."""
    events = deployment.ask_again(RUN, id=run_id)["runOrError"]["eventConnection"]["events"]
    said = [event["message"] for event in events if event.get("message")]
    failures = [event["error"] for event in events if event.get("error")]
    return said + [f"{error['message']} {error['cause'] or ''}" for error in failures]


def runs(deployment: Deployment) -> dict[str, dict[str, str]]:
    """Every run by its id."""
    found = deployment.ask_again(RUNS)["runsOrError"]["results"]
    return {run["runId"]: run for run in found}


def is_loaded(deployment: Deployment) -> bool:
    entries = deployment.ask_again(LOCATION)["workspaceOrError"]["locationEntries"]
    return [entry["locationOrLoadError"]["__typename"] for entry in entries] == [
        "RepositoryLocation"
    ]


def cancel(deployment: Deployment, run_id: str) -> str:
    return deployment.ask(CANCEL, id=run_id)["terminateRun"]["__typename"]


def active_slots(deployment: Deployment, pool: str) -> int:
    answer = deployment.ask_again(POOL, name=pool)
    return answer["instance"]["concurrencyLimit"]["activeSlotCount"]


def materializations(deployment: Deployment) -> dict[str, list[tuple[str, str | None]]]:
    """Of every asset the runs and partitions that were recorded."""
    nodes = deployment.ask_again(MATERIALIZATIONS)["assetsOrError"]["nodes"]
    return {
        "/".join(node["key"]["path"]): [
            (event["runId"], event["partition"]) for event in node["assetMaterializations"]
        ]
        for node in nodes
    }
