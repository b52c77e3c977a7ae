"""Prompts and candidates on one sphere, learned by two contrastive losses; quality by the cosine of their angle.

RouterDC (Chen et al. 2024, arXiv 2409.19886, section 3) on frozen features: what is trained is a linear map of them, in
place of the paper's encoder, and the candidates' embeddings. Of the paper's choices one is changed: outcomes here are
often 0 or 1, so the "top" and "bottom" candidates of a prompt are all those that tie with the last of them.
Shapes: N prompts, M candidates, F features, D dimensions, H out-group prompts.
"""

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from components.baselines.clusters import cluster
from components.baselines.neural import NeuralModel, train
from components.heads.training import Batch, FitConfig
from components.tables.board import Board
from pointsman.model.unit import unit_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastConfig:
    """The sphere, the contrasts and their training."""

    dimensions: int = 128
    """D, >= 1."""
    temperature: float = 0.1
    """Cosines are divided by it, > 0."""
    top: int = 3
    """Candidates of a prompt that are drawn to it, and that it is drawn from, >= 1 (K+ and K- of the paper)."""
    clusters: int = 20
    """Groups of similar prompts, >= 2; fewer where there are fewer prompts."""
    others: int = 3
    """H, out-group prompts that each prompt is told from, >= 1."""
    sample_weight: float = 1.0
    """Weight of the sample-sample loss, >= 0 (lambda of the paper)."""
    fit: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.02))

    def __post_init__(self) -> None:
        if min(self.dimensions, self.top, self.others) < 1 or self.clusters < 2:
            raise ValueError(f"dimensions, top and others must be >= 1 and clusters >= 2, got {self}")
        if not self.temperature > 0 or not self.sample_weight >= 0:
            raise ValueError(f"temperature must be > 0 and sample_weight >= 0, got {self}")


class Sphere(nn.Module):
    """logit of prompt x on candidate m = cos(W x, k_m) / temperature."""

    def __init__(self, centre_CF: Tensor, outputs: int, config: ContrastConfig) -> None:
        super().__init__()
        self.config = config
        self.prompt = nn.Linear(centre_CF.shape[1], config.dimensions)
        self.candidate_MD = nn.Parameter(torch.randn(outputs, config.dimensions))
        self.register_buffer("centre_CF", centre_CF)

    def embed(self, features_NF: Tensor) -> Tensor:
        """Unit vectors, shape (N, D)."""
        return functional.normalize(self.prompt(features_NF), dim=1)

    def forward(self, features_NF: Tensor) -> Tensor:
        """Logits, shape (N, M)."""
        candidate_MD = functional.normalize(self.candidate_MD, dim=1)
        logits_NM: Tensor = self.embed(features_NF) @ candidate_MD.T / self.config.temperature
        return logits_NM

    def cluster(self, features_NF: Tensor) -> Tensor:
        """Each prompt's nearest centre, shape (N,)."""
        unit_NF = functional.normalize(features_NF, dim=1)
        return torch.cdist(unit_NF, self.get_buffer("centre_CF")).argmin(dim=1)


def sample_candidate(logits_NM: Tensor, quality_NM: Tensor, top: int) -> Tensor:
    """Sample-LLM contrastive loss, shape (): each top candidate against all bottom ones (equation 3).

    Top: among a prompt's best and with an outcome above 0; bottom: among its worst and below 1/2.

    Args:
        logits_NM: similarity over temperature.
        quality_NM: quality in [0, 1]; nan: not observed, in neither set.
        top: how many are best, and how many worst.
    """
    k = min(top, quality_NM.shape[1])
    best_NM = quality_NM.nan_to_num(-torch.inf)
    worst_NM = quality_NM.nan_to_num(torch.inf)
    top_NM = (best_NM >= best_NM.topk(k, dim=1).values[:, -1:]) & (best_NM > 0)
    bottom_NM = (worst_NM <= worst_NM.topk(k, dim=1, largest=False).values[:, -1:]) & (worst_NM < 0.5) & ~top_NM
    rival_N1 = logits_NM.masked_fill(~bottom_NM, -torch.inf).logsumexp(dim=1, keepdim=True)
    # Without a bottom candidate there is no contrast: the loss of that prompt is log 1.
    loss_NM = torch.logaddexp(logits_NM, rival_N1.nan_to_num(neginf=-1e9)) - logits_NM
    return (loss_NM * top_NM).sum() / top_NM.sum().clamp(min=1)


def sample_sample(embedded_ND: Tensor, cluster_N: Tensor, others: int, temperature: float) -> Tensor:
    """Sample-sample contrastive loss, shape (): a prompt of the same cluster against `others` of different ones.

    Equation 5; both are drawn at random from the batch. A prompt without company or without strangers is left out.
    """
    similarity_NN = embedded_ND @ embedded_ND.T / temperature
    same_NN = cluster_N[:, None] == cluster_N[None, :]
    itself_NN = torch.eye(cluster_N.shape[0], dtype=torch.bool)
    draw_NN = torch.rand(similarity_NN.shape)
    mate_N1 = draw_NN.masked_fill(~same_NN | itself_NN, -1).argmax(dim=1, keepdim=True)
    other_NH = draw_NN.masked_fill(same_NN, -1).topk(min(others, cluster_N.shape[0]), dim=1).indices
    usable_N = (same_NN & ~itself_NN).any(dim=1) & (~same_NN).any(dim=1)
    # Fewer strangers than asked for: the draw runs into the own cluster, whose members are no contrast.
    stranger_NH = similarity_NN.gather(1, other_NH).masked_fill(same_NN.gather(1, other_NH), -1e9)
    pair_N1H = torch.cat([similarity_NN.gather(1, mate_N1), stranger_NH], dim=1)
    return (-pair_N1H.log_softmax(dim=1)[:, 0] * usable_N).sum() / usable_N.sum().clamp(min=1)


def fit(
    training: Board,
    seed: int,
    config: ContrastConfig = ContrastConfig(),
) -> NeuralModel:
    """Groups the training prompts by k-means and trains map and embeddings; stops by the sample-LLM loss.

    Raises:
        ValueError: no outcome.
    """
    centre_CF, _ = cluster(unit_rows(training.features_NF), config.clusters, seed)
    outputs = training.quality_NM.shape[1]

    def towards_candidates(module: nn.Module, batch: Batch) -> Tensor:
        return sample_candidate(module(batch[0]), batch[1], config.top)

    def dual(module: nn.Module, batch: Batch) -> Tensor:
        sphere = cast("Sphere", module)
        cluster_N, embedded_ND = sphere.cluster(batch[0]), sphere.embed(batch[0])
        among_prompts = sample_sample(embedded_ND, cluster_N, config.others, config.temperature)
        return towards_candidates(module, batch) + config.sample_weight * among_prompts

    return train(
        training,
        seed,
        lambda: Sphere(torch.tensor(centre_CF), outputs, config),
        config.fit,
        loss=dual,
        validation_loss=towards_candidates,
    )
