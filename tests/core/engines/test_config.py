import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from iterpref_assets.core.engines.config import (
    Dtype,
    EngineConfig,
    OpenAIConfig,
    ReplayConfig,
    TransformersConfig,
    VllmConfig,
)

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
