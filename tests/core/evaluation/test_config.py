import subprocess
import sys

import pytest
from pydantic import ValidationError

from iterpref_assets.core.engines.protocol import Sampling
from iterpref_assets.core.evaluation.config import EvaluationConfig


def test_the_default_is_one_greedy_completion_per_task():
    config = EvaluationConfig()
    assert config.samples == 1
    assert config.sampling == Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)


def test_several_greedy_samples_are_refused():
    with pytest.raises(ValidationError, match="greedy decoding gives one completion"):
        EvaluationConfig(samples=5)


def test_importing_the_evaluation_loads_no_heavy_library():
    program = (
        "import sys, iterpref_assets.core.evaluation.model_scoring, "
        "iterpref_assets.core.evaluation.summary\n"
        "print(*{'torch', 'vllm', 'transformers', 'evalplus', 'datasets'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
