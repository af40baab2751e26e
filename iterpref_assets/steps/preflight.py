"""What the settings name, looked at before anything expensive: `iterpref settings check`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import httpx

from iterpref_assets.core.engines.config import EngineConfig, OpenAIConfig, ReplayConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.launch import importable_files
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.seeds.files import FileSeeds
from iterpref_assets.settings import (
    Environment,
    GeneratorSource,
    HubModel,
    LocalModel,
    ModelSource,
    RemoteModel,
    Settings,
)
from iterpref_assets.steps.models import model_identity, not_given
from iterpref_assets.steps.server_check import WAIT_SECONDS, check_server

_PACKAGES = {"vllm": "vllm", "transformers": "transformers", "openai": "openai"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of looking at one part; `problem` is empty where all is well."""

    part: str
    detail: str
    problem: str = ""


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at each part in turn; one that fails keeps no other from its turn."""
    for part, look in _looks(settings):
        try:
            yield Finding(part, look())
        except InputError as error:
            yield Finding(part, "", str(error))


def _looks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "seeds", partial(_seeds, settings)
    yield "sandbox", partial(_sandbox, settings)
    yield "generator", partial(_model, settings.generator, settings.engine)
    if isinstance(settings.engine, OpenAIConfig):
        for name in _served_weights(settings.generator):
            look = partial(check_server, section="engine", named_in="engine.served_model")
            yield "engine.base_url", partial(look, settings.engine, name)
    for name, source in settings.base_models.items():
        yield f"base_models.{name}", partial(_base_model, source, settings)
    engines: dict[str, EngineConfig] = {
        "engine": settings.engine,
        "evaluation_engine": settings.evaluation_engine,
    }
    judges = {"pairs": settings.pairs.judge, "test_quality": settings.test_quality.judge}
    for name, judge in judges.items():
        if judge is not None:
            section = f"{name}.judge.engine"
            engines[section] = judge.engine
            if isinstance(judge.engine, OpenAIConfig):
                model = f"{name}.judge.model"
                named_in = f"{section}.served_model" if judge.engine.served_model else model
                look = partial(check_server, section=section, named_in=named_in)
                yield model, partial(look, judge.engine, judge.model)
    for name, engine in engines.items():
        yield name, partial(_engine, engine)
    for benchmark in settings.benchmarks.names():
        yield f"benchmarks.{benchmark}", partial(_benchmark, settings, benchmark)
    if settings.environment is not Environment.LAB:
        yield "environment", partial(_ENVIRONMENTS[settings.environment], settings)


def _seeds(settings: Settings) -> str:
    """The shards and the held-out problems; problems in files are read, line by line."""
    source = settings.seeds
    shards = source.shards()
    for shard in shards:
        source.shard_identity(shard)
    source.heldout_identity()
    if not isinstance(source, FileSeeds):
        return _count(len(shards), "shard")
    problems = sum(len(source.load_shard(shard).problems) for shard in shards)
    heldout = len(source.load_heldout())
    return f"{_count(len(shards), 'shard')}, {_count(problems, 'problem')}, {heldout} held-out"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sandbox(settings: Settings) -> str:
    """Whether a program can be run here, with the packages that it may import."""
    if settings.environment in (Environment.DOCKER, Environment.RAY):
        return "in the workers: not looked at from here"
    tests = CodeTests(
        code="from solution import answer\n\ndef test_it():\n    assert answer == 1\n"
    )
    with Sandbox(1, packages=settings.packages) as sandbox:
        verdict = sandbox.judge("answer = 1\n", tests)
    if not verdict.passed:
        raise InputError(
            f"a program that is right came to {verdict.verdict}: {verdict.message}",
            field="limits",
            remedy="See docs/SANDBOX.md for what the sandbox needs",
        )
    return "a program ran in it"


def _model(source: GeneratorSource, engine: EngineConfig) -> str:
    match source:
        case RemoteModel(model=model):
            if isinstance(engine, OpenAIConfig):
                # Only a generator is remote.
                return check_server(engine, model, section="engine", named_in="generator.model")
            return "recorded"
        case HubModel(repository=repository, revision=revision):
            _on_hub(repository, revision)
            return f"{repository} at {revision[:12]}"
        case LocalModel(path=path):
            model_identity(source)
            return str(path)
        case _:
            return "shipped"


def _served_weights(source: GeneratorSource) -> Iterator[str]:
    """What a server is asked for where the generator is one whose weights are named, too."""
    match source:
        case HubModel(repository=repository):
            yield repository
        case LocalModel(path=path):
            yield str(path)
        case _:
            pass


def _base_model(source: ModelSource, settings: Settings) -> str:
    """The model, and the least that its training here holds, by its shape alone."""
    found = _model(source, settings.evaluation_engine)
    if settings.environment in (Environment.DOCKER, Environment.RAY):
        return f"{found}; its training is in the workers: not looked at from here"
    match source:
        case HubModel(repository=repository, revision=revision):
            folder = _on_hub(repository, revision)
        case LocalModel(path=folder):
            pass
        case _:
            return found
    from iterpref_assets.core.training.cards import card_here
    from iterpref_assets.core.training.plan import GB, least_plan
    from iterpref_assets.core.training.processes import processes_of

    config = settings.training
    least = least_plan(folder, config, card_here(processes_of(config)))
    least.require_fit()
    of = f"of {least.subject.card.memory / GB:.1f}"
    return f"{found}; training holds {least.peak / GB:.1f} GB {of}, and what its pairs take"


def _on_hub(repository: str, revision: str) -> Path:
    """The folder of the model's config.json, which is fetched unless it lies in the cache."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        config = hf_hub_download(
            repository, "config.json", revision=revision, etag_timeout=WAIT_SECONDS
        )
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise not_given(repository, revision, error) from error
    return Path(config).parent


def _engine(engine: EngineConfig) -> str:
    if isinstance(engine, ReplayConfig):
        for path in engine.completions:
            if not path.is_file():
                raise InputError("no such file", file=path, remedy="Correct engine.completions")
        return _count(len(engine.completions), "recording")
    package = _PACKAGES[engine.kind]
    if find_spec(package) is None:
        raise InputError(f"the package {package} is not installed", remedy="Install it: make setup")
    return engine.kind.value


def _benchmark(settings: Settings, name: str) -> str:
    from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName, BigCodeBenchConfig

    config = settings.benchmarks.config(BenchmarkName(name))
    if isinstance(config, BigCodeBenchConfig) and config.libraries is not None:
        importable_files((), config.libraries)
    config.identity()
    return str(config.data)


def _gpu(_settings: Settings) -> str:
    import torch

    if not torch.cuda.is_available():
        raise InputError("no GPU is seen", field="environment", remedy="Use environment lab")
    return _count(torch.cuda.device_count(), "GPU")


def _docker(settings: Settings) -> str:
    import docker
    import docker.errors

    try:
        client = docker.from_env()
        client.ping()
        for image in (settings.docker.worker_image, settings.docker.sandbox_image):
            client.images.get(image)
    except (docker.errors.DockerException, OSError) as error:
        raise InputError(
            str(error), field="docker", remedy="Start the engine; build the images: docker/build.sh"
        ) from error
    return "the engine answers and has the images"


def _ray(settings: Settings) -> str:
    try:
        httpx.get(settings.ray.address, timeout=WAIT_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        raise InputError(
            f"{settings.ray.address} does not answer: {error}",
            field="ray.address",
            remedy="Start the cluster, or correct the address",
        ) from error
    return settings.ray.address


_ENVIRONMENTS: dict[Environment, Callable[[Settings], str]] = {
    Environment.GPU: _gpu,
    Environment.DOCKER: _docker,
    Environment.RAY: _ray,
}
