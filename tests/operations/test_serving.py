"""The other way to serve the project."""

import pytest

pytestmark = pytest.mark.slow


def test_dagster_dev_serves_the_workspace(prepared) -> None:
    with prepared.serving("dagster", "dev", "-w", "workspace.yaml") as deployment:
        found = deployment.ask(
            "{ workspaceOrError { ... on Workspace { locationEntries {"
            " name locationOrLoadError { __typename } } } } }"
        )
    (entry,) = found["workspaceOrError"]["locationEntries"]
    assert entry["locationOrLoadError"]["__typename"] == "RepositoryLocation"
