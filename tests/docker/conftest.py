"""A Docker engine, the images and a running deployment, for all tests here; all of it ends here."""

from collections.abc import Iterator

import pytest
from docker_engine import running_engine
from docker_images import Images, build_images
from docker_stack import Stack, running_stack


@pytest.fixture(scope="session")
def images() -> Iterator[Images]:
    with running_engine():
        yield build_images()


@pytest.fixture(scope="session")
def stack(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(images, tmp_path_factory.mktemp("deployment")) as started:
        yield started
