"""Everything that differs between one deployment and another, in one typed place.

Values come, strongest first, from `ITERPREF_...` environment variables (nested by `__`, e.g.
`ITERPREF_DEBUGGING__MAX_ROUNDS=3`), from the TOML file that ITERPREF_SETTINGS names, and from the
lab defaults below. Unknown keys are refused.
"""

from __future__ import annotations

import os
import re
import tomllib
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from iterpref_assets.core.conversations import LAB_PROMPTS, PromptConfig, Templates
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.decontamination.filtering import SeedFilterConfig
from iterpref_assets.core.engines.config import (
    EngineConfig,
    EngineKind,
    ScoringEngineConfig,
    VllmConfig,
)
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarksConfig
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.experiment.config import ExperimentConfig
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.pairs.config import Negatives, PairConfig
from iterpref_assets.core.quality.config import QualityConfig
from iterpref_assets.core.records import Record
from iterpref_assets.core.sampling import SamplingConfig
from iterpref_assets.core.sandbox.verdicts import Limits
from iterpref_assets.core.seeds.lab import LabSeeds
from iterpref_assets.core.seeds.sources import SeedSource
from iterpref_assets.core.settings_keys import keys_of
from iterpref_assets.core.settings_refusal import KNOWN_SETTINGS, refusal, refuse_broken_json
from iterpref_assets.core.training.config import LAB, TrainConfig
from iterpref_assets.core.training.recipes import REFERENCE, VARIANTS, recipe_named
from iterpref_assets.deployment import DockerConfig, OperationsConfig, RayConfig

PREFIX = "ITERPREF_"
SETTINGS_FILE = "ITERPREF_SETTINGS"
WEBHOOK = "ITERPREF_WEBHOOK"
"""Where failures are reported to: a secret, so a variable, which no file sets and nothing dumps."""


class Environment(StrEnum):
    """Where heavy steps run; the assets are the same."""

    LAB = "lab"
    """In processes of this machine, on whatever it has."""
    GPU = "gpu"
    """In processes of this machine, which must have a GPU."""
    DOCKER = "docker"
    """In containers, which the Docker engine in reach starts."""
    RAY = "ray"
    """In jobs of a Ray cluster, on any of its hosts."""


class LabModel(Record):
    """The small model that the project trains and ships."""

    source: Literal["lab"] = Field("lab", description="Where the model comes from")


class LocalModel(Record):
    """A model folder in the Hugging Face layout, safetensors only."""

    source: Literal["local"] = Field("local", description="Where the model comes from")
    path: Path = Field(
        description="The folder. Its .safetensors, .json, .txt and .jinja files count, by name, "
        "size and time of change: what is made of the model is stale once one of them changes"
    )


class HubModel(Record):
    """A model of the Hugging Face hub, pinned to a commit: a branch would change its meaning."""

    source: Literal["hub"] = Field("hub", description="Where the model comes from")
    repository: str = Field(description="The name on the hub, owner/name")
    revision: str = Field(description="The commit, all 40 digits; a branch or a tag is refused")

    @field_validator("revision")
    @classmethod
    def _commit(cls, revision: str) -> str:
        if not re.fullmatch(r"[0-9a-f]{40}", revision):
            raise ValueError(
                f"{revision!r} is no commit of 40 hexadecimal digits, and what a branch or a tag "
                "means can change between two steps: copy the commit from the history of the "
                "model's files on the hub, or print "
                "huggingface_hub.model_info(repository, revision=...).sha"
            )
        return revision


class RemoteModel(Record):
    """A model that a server answers for and nobody here has the weights of: a generator only."""

    source: Literal["remote"] = Field("remote", description="Where the model comes from")
    model: str = Field(min_length=1, description="The model's name on the server")
    server: str | None = Field(
        None,
        min_length=1,
        description="Whose server it is, as it goes on record; unset is the address of the engine",
    )


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
"""What partitions and folders can be named."""

ModelSource = Annotated[LabModel | LocalModel | HubModel, Field(discriminator="source")]

GeneratorSource = Annotated[
    LabModel | LocalModel | HubModel | RemoteModel, Field(discriminator="source")
]


class Settings(BaseSettings):
    """The settings of one deployment; the defaults are the lab."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
        extra="forbid",
        frozen=True,
    )

    environment: Environment = Field(Environment.LAB, description="Where heavy steps run")
    docker: DockerConfig = Field(DockerConfig(), description="Containers of environment `docker`")
    ray: RayConfig = Field(RayConfig(), description="The cluster of environment `ray`")
    root: Path = Field(Path("data"), description="Where artifacts and unfinished work lie")
    seeds: SeedSource = Field(LabSeeds(), description="Where seed problems come from")
    seed_filter: SeedFilterConfig = Field(
        SeedFilterConfig(), description="Which seeds are too like another one or a benchmark's"
    )
    generator: GeneratorSource = Field(LabModel(), description="The model that samples and debugs")
    engine: EngineConfig = Field(VllmConfig(), description="What the generator runs on")
    evaluation_engine: ScoringEngineConfig = Field(
        VllmConfig(), description="What base models and checkpoints are scored on"
    )
    base_models: dict[Name, ModelSource] = Field(
        {"lab": LabModel()}, min_length=1, description="The models to train, one partition each"
    )
    variants: tuple[str, ...] = Field(
        (REFERENCE, "focal_rpo"), description="What `iterpref run` trains and scores"
    )
    prompts: PromptConfig = Field(
        PromptConfig(), description="How models are asked; the lab's model only knows its own texts"
    )
    sampling: SamplingConfig = Field(
        SamplingConfig(), description="How the first programs are drawn"
    )
    debugging: DebugConfig = Field(DebugConfig(), description="How failing programs are repaired")
    pairs: PairConfig = Field(PairConfig(), description="How pairs are made from trajectories")
    training: TrainConfig = Field(LAB, description="How checkpoints are trained")
    evaluation: EvaluationConfig = Field(
        EvaluationConfig(), description="How greedy pass@1 is measured"
    )
    sampled_evaluation: EvaluationConfig = Field(
        EvaluationConfig(samples=5, temperature=0.8), description="How pass@k is measured"
    )
    limits: Limits = Field(Limits(), description="What one program under test may use")
    test_quality: QualityConfig = Field(
        QualityConfig(), description="How the tests of seed problems are examined"
    )
    packages: tuple[str, ...] = Field(
        (), description="Installed distributions that programs may import"
    )
    operations: OperationsConfig = Field(
        OperationsConfig(), description="Where the UI is, and what schedules and sensors do"
    )
    benchmarks: BenchmarksConfig = Field(
        BenchmarksConfig(), description="What to score besides held-out problems"
    )

    experiment: ExperimentConfig | None = Field(
        None, description="The grid of `iterpref experiment`; unset makes no assets for it"
    )

    @field_validator("variants")
    @classmethod
    def _known_variants(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        for name in variants:
            if name not in VARIANTS:
                raise ValueError(f"unknown variant {name!r}: use some of {', '.join(VARIANTS)}")
        return variants

    @field_validator("prompts")
    @classmethod
    def _whole_of_the_labs(cls, prompts: PromptConfig) -> PromptConfig:
        """A model that knows the lab's texts alone knows them with the lab's options alone."""
        if prompts.templates is not Templates.LAB:
            return prompts
        for name, field in PromptConfig.model_fields.items():
            # Defaults are filled in before: they cannot be told from what nobody set.
            if getattr(prompts, name) not in (field.default, getattr(LAB_PROMPTS, name)):
                raise ValueError(
                    f"the lab's texts have a value of {name} of their own: leave {name} out"
                )
        return LAB_PROMPTS

    @model_validator(mode="after")
    def _samples_to_pair(self) -> Self:
        if self.pairs.negatives is Negatives.PASS_RATE and self.sampling.samples_per_problem == 1:
            raise ValueError(
                "pairs.negatives is pass_rate, which pairs independent samples, but "
                "sampling.samples_per_problem is 1: set it to 2 or more"
            )
        return self

    @model_validator(mode="after")
    def _strengths_that_recipes_take(self) -> Self:
        for name in self.variants:
            if name != REFERENCE:
                recipe_named(name, beta=self.training.beta, alpha=self.training.alpha)
        return self

    @model_validator(mode="after")
    def _engines_in_reach(self) -> Self:
        if self.environment is not Environment.DOCKER:
            return self
        judges = {"pairs": self.pairs.judge, "test_quality": self.test_quality.judge}
        engines = {f"{name}.judge.engine": judge.engine for name, judge in judges.items() if judge}
        for name, engine in {"engine": self.engine, **engines}.items():
            if engine.kind is EngineKind.OPENAI:
                raise ValueError(
                    f"{name}.kind is openai, but workers in containers have no network: "
                    "use vllm or transformers, or another environment"
                )
        return self

    @model_validator(mode="after")
    def _generator_is_what_answers(self) -> Self:
        """What goes on record as the generator must be what the engine asks."""
        generator, engine = self.generator, self.engine
        if isinstance(generator, RemoteModel):
            if engine.kind is EngineKind.OPENAI:
                if engine.served_model not in (None, generator.model):
                    raise ValueError(
                        f"engine.served_model is {engine.served_model!r} and generator.model is "
                        f"{generator.model!r}: leave engine.served_model out"
                    )
            elif engine.kind is not EngineKind.REPLAY:
                raise ValueError(
                    f"generator.source is remote, which has no weights for engine.kind "
                    f'{engine.kind}: set engine.kind to "openai"'
                )
            elif generator.server is None:
                raise ValueError(
                    "recorded completions do not say whose server gave them: set generator.server"
                )
        elif isinstance(generator, LabModel) and engine.kind is EngineKind.OPENAI:
            raise ValueError(
                "engine.kind is openai and generator.source is lab, but no server has the lab's "
                'model: set generator.source to "remote" and generator.model to its name there'
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file.

        Arguments that name every field are settings already: beneath a section of one kind, the
        others would put fields of another.
        """
        if settings_cls.model_fields.keys() <= init_settings().keys():
            return (init_settings,)
        return (init_settings, env_settings, InitSettingsSource(settings_cls, values_of_file()))

    def prompts_for(self, source: GeneratorSource) -> PromptConfig:
        """How a model is asked: the lab's by the texts that it was trained on, others as set."""
        return LAB_PROMPTS if isinstance(source, LabModel) else self.prompts

    def section(self, name: str) -> JsonValue:
        """One section as JSON, as it goes into a manifest."""
        return self.model_dump(mode="json")[name]

    def overridden(self, section: str, overrides: dict[str, Any]) -> Settings:
        """These settings with some fields of one section replaced, for one run.

        Raises:
            InputError: naming the field that is unknown or has a bad value.
        """
        if not overrides:
            return self
        values = self.model_dump()
        values[section] = _merged(values[section], overrides)
        return _validated(values, place=f"run config of {section}")


def _merged(values: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """`values` with some replaced; a section within keeps what `changes` do not name.

    One that comes in kinds is replaced whole: another kind has other fields.
    """
    merged = dict(values or {})
    for name, change in changes.items():
        is_merged = isinstance(change, dict) and "kind" not in change
        merged[name] = _merged(merged.get(name), change) if is_merged else change
    return merged


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        InputError: naming the variable or key that is unknown or has a bad value.
    """
    _refuse_unknown_variables()
    refuse_broken_json(keys_of(Settings), PREFIX)
    return _validated({}, place=os.environ.get(SETTINGS_FILE) or "environment")


def values_of_file() -> dict[str, Any]:
    """What the settings file sets, as nested dicts; nothing where no file is named.

    Raises:
        InputError: naming the file that is not there or is no TOML.
    """
    path = os.environ.get(SETTINGS_FILE)
    if not path:
        return {}
    remedy = f"Correct --settings or {SETTINGS_FILE}"
    try:
        return tomllib.loads(read_bytes(Path(path), remedy).decode())
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"not TOML ({error})", file=path, remedy="docs/SETTINGS.md shows settings files"
        ) from None


def _refuse_unknown_variables() -> None:
    """pydantic-settings ignores variables that match no field: a misspelt one would do nothing."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(os.environ):
        is_ours = name.upper().startswith(PREFIX) and name not in {SETTINGS_FILE, WEBHOOK}
        if is_ours and name.upper().split("__")[0] not in known:
            given = {*known, SETTINGS_FILE, WEBHOOK}
            meant = get_close_matches(name.upper().split("__")[0], given, n=1)
            raise InputError(
                "unknown setting",
                file="environment",
                field=name,
                remedy=f"Did you mean {meant[0]}?" if meant else KNOWN_SETTINGS,
            )


def _validated(values: dict[str, Any], *, place: str) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        variables = None if values else PREFIX
        raise refusal(error, keys_of(Settings), place, variables) from None
