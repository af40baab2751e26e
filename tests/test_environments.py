"""The environment decides where heavy steps run, and refuses what cannot work there."""

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import Environment, load_settings


def test_the_lab_is_the_default() -> None:
    assert load_settings().environment is Environment.LAB


def test_a_server_out_of_a_containers_reach_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_ENVIRONMENT", "docker")
    monkeypatch.setenv("ITERPREF_ENGINE", '{"kind": "openai"}')
    with pytest.raises(InputError, match=r"engine\.kind is openai.*no network"):
        load_settings()


def test_a_server_is_in_reach_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_ENVIRONMENT", "gpu")
    monkeypatch.setenv("ITERPREF_ENGINE", '{"kind": "openai"}')
    assert load_settings().environment is Environment.GPU
