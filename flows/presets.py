"""What 'smoke' and 'full' mean, station by station."""

from dataclasses import dataclass, field
from typing import Literal

from components.embeddings.feature_fit import FeatureConfig
from components.heads.classifier import ClassifierConfig
from components.heads.experts import ExpertConfig
from components.release.refit import RefitConfig
from components.routing.fit import RouterConfig
from components.sources.planted import PlantedConfig
from components.tables.quarantine import QuarantineConfig
from components.tables.splits import SplitConfig
from components.tasks.choice import DiscoveryConfig

PresetName = Literal["smoke", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The configuration of every station."""

    planted: PlantedConfig
    quarantine: QuarantineConfig = field(default_factory=QuarantineConfig)
    split: SplitConfig
    features: FeatureConfig
    discovery: DiscoveryConfig
    classifier: ClassifierConfig
    experts: ExpertConfig
    router: RouterConfig = field(default_factory=RouterConfig)
    refit: RefitConfig = field(default_factory=RefitConfig)


def preset(name: PresetName, seed: int) -> Preset:
    """The stations' configurations; 'smoke' is 'full' on a small simulated world."""
    full = name == "full"
    return Preset(
        planted=PlantedConfig(prompts=4200 if full else 1000, seed=seed),
        split=SplitConfig(seed=seed),
        features=FeatureConfig(seed=seed),
        discovery=DiscoveryConfig(),
        classifier=ClassifierConfig(seed=seed),
        experts=ExpertConfig(seed=seed),
    )
