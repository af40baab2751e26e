"""One repository of the hub as one commit: what would be uploaded, and the upload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, DatasetCard, HfApi, ModelCard
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from iterpref_assets.core.errors import InputError

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Upload:
    """What one commit holds.

    Attributes:
        repository: OWNER/NAME.
        kind: "model" or "dataset".
        card: its README.md.
        files: by their names there.
        private: whether a repository that does not exist yet is made a private one.
    """

    repository: str
    kind: str
    card: ModelCard | DatasetCard
    files: Mapping[str, Path]
    private: bool

    def lines(self) -> Iterator[str]:
        """What would be pushed, for people: files with sizes, then the card."""
        visibility = "private" if self.private else "public"
        yield f"{self.kind} {self.repository} ({visibility} where it is new)"
        sizes = {CARD: len(str(self.card).encode())}
        sizes |= {name: path.stat().st_size for name, path in self.files.items()}
        for name, size in sizes.items():
            yield f"  {name:<32} {size:>14,} bytes"
        yield f"{CARD}:"
        yield from (f"  {line}".rstrip() for line in str(self.card).splitlines())

    def push(self, api: HfApi) -> str:
        """Make the repository where it is missing, and commit; the commit's address.

        Raises:
            InputError: where the hub does not take it.
        """
        operations = [
            CommitOperationAdd(CARD, str(self.card).encode()),
            *(CommitOperationAdd(name, path) for name, path in self.files.items()),
        ]
        try:
            api.create_repo(
                self.repository, repo_type=self.kind, private=self.private, exist_ok=True
            )
            commit = api.create_commit(
                self.repository,
                operations,
                commit_message="Upload with iterpref-assets",
                repo_type=self.kind,
            )
        except Exception as error:  # those of its transports have no base of their own
            raise InputError(
                f"the hub at {api.endpoint} did not take it: {error}",
                field=self.repository,
                remedy="Check the name, the network, and the token: hf auth login, or HF_TOKEN",
            ) from error
        return str(commit.commit_url)


def require_repository(name: str) -> None:
    """Refuse what is no OWNER/NAME.

    Raises:
        InputError: saying what is wrong with it.
    """
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise InputError(str(error), field="--repo", remedy="Give OWNER/NAME") from None
    if "/" not in name:
        raise InputError(f"{name!r} has no owner", field="--repo", remedy="Give OWNER/NAME")
