"""What 'smoke' and 'full' mean, station by station."""

from dataclasses import dataclass, field
from typing import Literal

from components.embeddings.distil import DistilConfig
from components.embeddings.feature_fit import FeatureConfig
from components.learning.encoder_choice import ChoiceConfig
from components.learning.refit import QUICK
from components.learning.two_stage import TwoStageConfig
from components.sources.planted.world import PlantedConfig
from components.tables.quarantine import QuarantineConfig
from components.tables.splits import SplitConfig
from components.tasks.discovery_config import DiscoveryConfig

PresetName = Literal["smoke", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The configuration of every station."""

    planted: PlantedConfig
    quarantine: QuarantineConfig = field(default_factory=QuarantineConfig)
    split: SplitConfig
    distilling: DistilConfig = field(default_factory=DistilConfig)
    choosing: ChoiceConfig = field(default_factory=ChoiceConfig)
    features: FeatureConfig
    discovery: DiscoveryConfig
    learning: TwoStageConfig
    refit: TwoStageConfig = QUICK
    exact_prompts: int = 20_000
    """Up to so many prompts the sentence encoder reads all of them, >= 1."""
    sample: int = 10_000
    """Prompts that a peer learns from at most, and on which benchmarks are left out, >= 100."""


def preset(name: PresetName, seed: int) -> Preset:
    """The stations' configurations; 'smoke' is 'full' on a small simulated world."""
    full = name == "full"
    return Preset(
        planted=PlantedConfig(prompts=4200 if full else 1000, seed=seed),
        split=SplitConfig(seed=seed),
        features=FeatureConfig(seed=seed),
        discovery=DiscoveryConfig(),
        learning=TwoStageConfig().seeded(seed),
    )
