"""Model versions and their aliases, through a client that is given: nothing here imports MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHALLENGER, CHAMPION = "challenger", "champion"
ROUTER_ID = "router_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A version and the router in it."""

    version: str
    router_id: str
    run_id: str
    tags: Mapping[str, str]


class Versions:
    """The versions of one registered model."""

    def __init__(self, client: Any, name: str) -> None:
        """Args: client: an MlflowClient; name: of the model, which need not exist yet."""
        self._client, self.name = client, name

    def ensure_model(self) -> None:
        """Creates the model where there is none."""
        if self._model() is None:
            self._client.create_registered_model(self.name, description="Routers of prompts to language models.")

    def tag(self, version: str, tags: Mapping[str, str]) -> None:
        """Adds tags to a version, such as the gate's verdict."""
        for name, value in tags.items():
            self._client.set_model_version_tag(self.name, version, name, value)

    def describe(self, version: str, markdown: str) -> None:
        """Puts a description in the place of a version's last one."""
        self._client.update_model_version(self.name, version, description=markdown)

    def find(self, router_id: str) -> str | None:
        """The newest version that holds this router; None: not registered."""
        versions = self._client.search_model_versions(f"name = '{self.name}'")
        held = [int(version.version) for version in versions if version.tags.get(ROUTER_ID) == router_id]
        return str(max(held)) if held else None

    def challenge(self, version: str) -> None:
        """Makes a version the challenger; the alias leaves the one before."""
        self._client.set_registered_model_alias(self.name, CHALLENGER, version)

    def make_champion(self, version: str) -> None:
        """Makes a version the champion; the alias leaves the one before."""
        self._client.set_registered_model_alias(self.name, CHAMPION, version)

    def no_champion(self) -> None:
        """Leaves no champion."""
        if self.champion() is not None:
            self._client.delete_registered_model_alias(self.name, CHAMPION)

    def champion(self) -> Registered | None:
        """The champion; None: there is none."""
        return self._aliased(CHAMPION)

    def challenger(self) -> Registered | None:
        """The newest challenger; None: there is none."""
        return self._aliased(CHALLENGER)

    def champion_router(self) -> str | None:
        """router_id of the champion; None: there is none."""
        found = self.champion()
        return None if found is None else found.router_id

    def _model(self) -> Any:
        return next(iter(self._client.search_registered_models(f"name = '{self.name}'")), None)

    def _aliased(self, alias: str) -> Registered | None:
        model = self._model()
        # asking for an alias that isn't there would be an error
        if model is None or alias not in self._client.get_registered_model(self.name).aliases:
            return None
        found = self._client.get_model_version_by_alias(self.name, alias)
        tags = dict(found.tags)
        return Registered(
            version=str(found.version), router_id=tags.get(ROUTER_ID, ""), run_id=str(found.run_id), tags=tags
        )
