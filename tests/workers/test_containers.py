"""A worker's container is isolated whatever is set; GPUs go to workers that may use them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from iterpref_assets.deployment import DockerConfig
from iterpref_assets.workers.containers import container_options

ROOT = Path("/data")


@pytest.mark.parametrize("gpus", [0, 2])
def test_no_setting_opens_the_container(gpus: int) -> None:
    options = container_options(DockerConfig(gpus=gpus), ROOT, gpus=True)
    assert options["network_mode"] == "none"
    assert options["read_only"] is True
    assert options["cap_drop"] == ["ALL"]
    assert options["security_opt"] == ["no-new-privileges"]
    assert options["user"] not in {"0", "root"}
    assert list(options["volumes"]) == ["iterpref-data"]


def test_gpus_are_asked_for_as_docker_wants_them() -> None:
    options = container_options(DockerConfig(gpus=-1), ROOT, gpus=True)
    (request,) = options["device_requests"]
    assert request["Count"] == -1
    assert request["Capabilities"] == [["gpu"]]


def test_a_container_that_only_executes_programs_gets_no_gpu() -> None:
    options = container_options(DockerConfig(gpus=1), ROOT, gpus=False)
    assert "device_requests" not in options
    assert "exec" not in options["tmpfs"]["/tmp"].split(",")


def test_artifacts_lie_at_the_same_path_in_both_containers() -> None:
    options = container_options(DockerConfig(volume="mine"), ROOT, gpus=False)
    assert options["volumes"] == {"mine": {"bind": "/data", "mode": "rw"}}


def test_memory_is_unlimited_unless_it_is_set() -> None:
    assert "mem_limit" not in container_options(DockerConfig(), ROOT, gpus=False)
    assert container_options(DockerConfig(memory="8g"), ROOT, gpus=False)["mem_limit"] == "8g"


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        DockerConfig(gpu=1)
