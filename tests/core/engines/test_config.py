import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue, TypeAdapter, ValidationError

from iterpref_assets.core.engines.config import (
    Dtype,
    EngineConfig,
    OpenAIConfig,
    ReplayConfig,
    TransformersConfig,
    VllmConfig,
    engine_identity,
    gpus_of,
)
from iterpref_assets.core.errors import InputError

ADAPTER: TypeAdapter[EngineConfig] = TypeAdapter(EngineConfig)


@pytest.mark.parametrize(
    "config",
    [
        VllmConfig(dtype=Dtype.FLOAT32, kv_cache_gib=0.5),
        OpenAIConfig(base_url="http://localhost:1/v1"),
        TransformersConfig(batch_size=3),
        ReplayConfig(completions=(Path("a.parquet"),)),
    ],
)
def test_the_kind_decides_which_settings_are_read(config: EngineConfig) -> None:
    assert ADAPTER.validate_json(ADAPTER.dump_json(config)) == config


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="kind"):
        ADAPTER.validate_python({"kind": "guess"})


@pytest.mark.parametrize(
    "base_url", ["https://me:secret@host/v1", "https://host/v1?key=secret", "https://me@host/v1"]
)
def test_an_address_that_holds_a_secret_is_refused(base_url: str) -> None:
    with pytest.raises(ValidationError, match="api_key_env"):
        OpenAIConfig(base_url=base_url)


@pytest.mark.parametrize("name", ["temperature", "max_tokens", "model", "stream"])
def test_extra_fields_do_not_contradict_a_setting(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} is sent already"):
        OpenAIConfig(extra_body={name: 1})


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({"timeout_seconds": 1, "max_attempts": 1, "max_wait_seconds": 1}, True),
        ({"api_key_env": "ANOTHER_KEY"}, True),
        ({"extra_body": {"top_k": 1}}, False),
        ({"reasoning_effort": "low"}, False),
        ({"base_url": "http://elsewhere/v1"}, False),
    ],
)
def test_how_long_a_server_is_waited_for_makes_no_other_completions(options, same: bool) -> None:
    identity = engine_identity(OpenAIConfig(**options))
    assert (identity == engine_identity(OpenAIConfig())) is same


def test_remote_code_is_off_unless_named() -> None:
    assert not VllmConfig().trust_remote_code
    assert not TransformersConfig().trust_remote_code


def test_loading_the_settings_imports_no_engine() -> None:
    code = (
        "import sys; import iterpref_assets.core.engines.config, "
        "iterpref_assets.core.engines.opening, iterpref_assets.core.debugging.trajectory; "
        "print({'torch', 'vllm', 'transformers', 'openai'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert output.strip() == "set()"


def test_an_option_of_vllm_that_has_a_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="max_num_seqs is set already"):
        VllmConfig(options={"max_num_seqs": 3})


def test_options_of_vllm_are_what_completions_depend_on() -> None:
    assert "options" not in engine_identity(VllmConfig())
    assert engine_identity(VllmConfig(options={"quantization": "fp8"}))["options"] == {
        "quantization": "fp8"
    }


REPLAY = ReplayConfig(completions=(Path("a.parquet"),))


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (VllmConfig(), 1),
        (VllmConfig(tensor_parallel_size=2), 2),
        (VllmConfig(tensor_parallel_size=2, options={"data_parallel_size": 3}), 6),
        (VllmConfig(options={"pipeline_parallel_size": 2, "data_parallel_size": 2}), 4),
        (TransformersConfig(), 0),
        (TransformersConfig(device="cuda"), 1),
        (OpenAIConfig(), 0),
        (REPLAY, 0),
    ],
)
def test_an_engine_takes_a_gpu_for_each_part_of_each_copy(config: EngineConfig, count: int) -> None:
    assert gpus_of(config) == count


@pytest.mark.parametrize("copies", ["two", "2", 0, 1.5, True, None])
def test_copies_of_an_engine_that_are_no_number_are_refused_by_the_option(
    copies: JsonValue,
) -> None:
    with pytest.raises(InputError, match=r"options\.data_parallel_size.*whole number"):
        gpus_of(VllmConfig(options={"data_parallel_size": copies}))


def test_a_gpu_by_its_number_is_refused_where_steps_share_them_out() -> None:
    with pytest.raises(InputError, match=r"cuda:3 may be another step's.*Set it to cuda:"):
        gpus_of(TransformersConfig(device="cuda:3"))
