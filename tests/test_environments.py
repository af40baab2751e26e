"""The environment decides where heavy steps run, and refuses what cannot work there."""

import re

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import Environment, load_settings


def test_the_lab_is_the_default() -> None:
    assert load_settings().environment is Environment.LAB


JUDGE = '{"engine": {"kind": "openai"}, "model": "m"}'


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("ITERPREF_ENGINE", '{"kind": "openai"}', "engine"),
        ("ITERPREF_PAIRS__JUDGE", JUDGE, "pairs.judge.engine"),
        ("ITERPREF_TEST_QUALITY__JUDGE", JUDGE, "test_quality.judge.engine"),
    ],
)
def test_a_server_out_of_a_containers_reach_is_refused(
    variable: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ITERPREF_ENVIRONMENT", "docker")
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=rf" {re.escape(named)}\.kind is openai.*no network"):
        load_settings()


def test_a_server_is_in_reach_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_ENVIRONMENT", "gpu")
    monkeypatch.setenv("ITERPREF_ENGINE", '{"kind": "openai"}')
    monkeypatch.setenv("ITERPREF_GENERATOR", '{"source": "remote", "model": "m"}')
    assert load_settings().environment is Environment.GPU


def test_a_cluster_is_found_by_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_ENVIRONMENT", "ray")
    monkeypatch.setenv("ITERPREF_RAY__ADDRESS", "http://head:8265")
    settings = load_settings()
    assert settings.environment is Environment.RAY
    assert settings.ray.address == "http://head:8265"


def test_a_worker_reserves_some_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_RAY__CPUS", "0")
    with pytest.raises(InputError, match=r"ray\.cpus"):
        load_settings()
