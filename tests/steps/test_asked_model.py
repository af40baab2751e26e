"""What a command's options and the settings together say of the model that is asked."""

import pytest

from iterpref_assets.core.engines.config import EngineKind, OpenAIConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.settings import RemoteModel, Settings
from iterpref_assets.steps.asked_model import asked_engine, asked_model, asked_style

SERVER = "http://127.0.0.1:1/v1"
OF_SETTINGS = {"kind": "openai", "base_url": SERVER, "served_model": "large", "max_attempts": 2}


def settings(**engine: object) -> Settings:
    generator = {"source": "remote", "model": "large"}
    return Settings.model_validate({"engine": {**OF_SETTINGS, **engine}, "generator": generator})


def test_an_address_alone_asks_a_server_as_the_settings_have_it() -> None:
    engine = asked_engine(settings(), None, SERVER)
    assert isinstance(engine, OpenAIConfig)
    assert (engine.base_url, engine.max_attempts) == (SERVER, 2)


def test_the_model_is_the_one_that_the_command_names() -> None:
    engine = asked_engine(settings(), EngineKind.OPENAI, None)
    assert isinstance(engine, OpenAIConfig)
    assert engine.served_model is None
    assert asked_model("small", engine) == (RemoteModel(model="small", server=SERVER), "small")


def test_another_server_gets_neither_the_key_nor_the_body_of_the_settings() -> None:
    found = settings(api_key_env="MY_KEY", extra_body={"top_k": 20})
    engine = asked_engine(found, None, "http://127.0.0.1:2/v1")
    assert isinstance(engine, OpenAIConfig)
    assert (engine.api_key_env, engine.extra_body) == ("OPENAI_API_KEY", {})


def test_an_address_beside_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match="--url is for a server, not for transformers"):
        asked_engine(settings(), EngineKind.TRANSFORMERS, SERVER)


def test_a_server_is_asked_in_chats_alone() -> None:
    assert asked_style("small", as_base=False) is PromptStyle.CHAT
    with pytest.raises(InputError, match="a server answers chats alone"):
        asked_style("small", as_base=True)


@pytest.mark.parametrize(
    ("as_base", "style"), [(False, PromptStyle.PREFILLED), (True, PromptStyle.COMPLETION)]
)
def test_a_model_that_knows_chats_is_asked_in_one_unless_as_a_base_model(as_base, style) -> None:
    assert asked_style(pretrained_dir(), as_base=as_base) is style
