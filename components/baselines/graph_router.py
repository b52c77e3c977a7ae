"""Messages over a graph of prompts, tasks and candidates, quality read from each prompt-candidate edge.

GraphRouter (Feng, Shen and You 2024, arXiv 2410.03834, section 3) on frozen features. A prompt is tied to its task and,
where an outcome is known, to candidates by edges that carry it. Tasks are k-means clusters, since a new prompt's
benchmark isn't known; a new prompt has no outcome, so messages reach it through its task alone, and in training each
batch's own edges are taken out of the graph before they are predicted. Messages are linear, so that those of all
training prompts to a node are one product with sums kept beside the graph.
Shapes: N prompts, B of a batch, M candidates, T tasks, F features, H hidden units.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from components.baselines.clusters import cluster
from components.baselines.neural import NeuralModel, train
from components.heads.losses import masked_bce
from components.heads.training import Batch, FitConfig
from components.tables.board import Board
from pointsman.model.unit import unit_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphConfig:
    """The graph, its nodes and their training."""

    tasks: int = 20
    """T, >= 1; fewer where there are fewer distinct prompts."""
    hidden: int = 128
    """H, >= 1."""
    dropout: float = 0.2
    """Share of a prompt's state left out in training, in [0, 1)."""
    fit: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.05))

    def __post_init__(self) -> None:
        if self.tasks < 1 or self.hidden < 1 or not 0 <= self.dropout < 1:
            raise ValueError(f"tasks and hidden must be >= 1 and dropout in [0, 1), got {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edges:
    """What some prompts' edges send in sum."""

    size_T: Tensor
    """Prompts of each task."""
    features_TF: Tensor
    """Their features."""
    count_TM: Tensor
    """Known outcomes of each task and candidate."""
    quality_TM: Tensor
    """Their sum."""
    count_M: Tensor
    good_MF: Tensor
    """Features of the prompts a candidate was tried on, weighted by outcome."""
    tried_MF: Tensor
    """The same, unweighted."""

    def less(self, other: "Edges") -> "Edges":
        """Without the edges of some of the prompts."""
        return Edges(**{name: getattr(self, name) - getattr(other, name) for name in self.__slots__})


def edges(features_NF: Tensor, quality_NM: Tensor, task_N: Tensor, tasks: int) -> Edges:
    """The sums over prompts; an outcome that is nan is no edge."""
    member_TN = nn.functional.one_hot(task_N, tasks).to(features_NF.dtype).T
    seen_NM, filled_NM = (~torch.isnan(quality_NM)).to(features_NF.dtype), torch.nan_to_num(quality_NM)
    return Edges(
        size_T=member_TN.sum(dim=1),
        features_TF=member_TN @ features_NF,
        count_TM=member_TN @ seen_NM,
        quality_TM=member_TN @ filled_NM,
        count_M=seen_NM.sum(dim=0),
        good_MF=filled_NM.T @ features_NF,
        tried_MF=seen_NM.T @ features_NF,
    )


class Graph(nn.Module):
    """Two rounds: prompts speak to tasks and candidates, candidates through prompts to tasks; then tasks to prompts."""

    def __init__(self, centre_TF: Tensor, features_NF: Tensor, quality_NM: Tensor, config: GraphConfig) -> None:
        super().__init__()
        inputs, outputs, hidden = features_NF.shape[1], quality_NM.shape[1], config.hidden
        self.register_buffer("centre_TF", centre_TF)
        self.known = edges(features_NF, quality_NM, self.task(features_NF), centre_TF.shape[0])
        self.prompt = nn.Linear(inputs, hidden)
        self.candidate_MH = nn.Parameter(0.1 * torch.randn(outputs, hidden))
        self.prompt_to_candidate = nn.Linear(2 * inputs, hidden)
        self.prompt_to_task = nn.Linear(inputs, hidden)
        self.candidate_to_task = nn.Linear(hidden, hidden, bias=False)
        self.task_to_prompt = nn.Linear(hidden, hidden, bias=False)
        self.edge = nn.Linear(hidden, hidden, bias=False)
        self.bias_M = nn.Parameter(torch.zeros(outputs))
        self.dropout = nn.Dropout(config.dropout)

    def task(self, features_NF: Tensor) -> Tensor:
        """Each prompt's nearest centre, shape (N,)."""
        unit_NF = nn.functional.normalize(features_NF, dim=1)
        return torch.cdist(unit_NF, self.get_buffer("centre_TF")).argmin(dim=1)

    def forward(self, features_NF: Tensor, own_NM: Tensor | None = None) -> Tensor:
        """Logits, shape (N, M).

        Args:
            own_NM: outcomes of the same prompts that are in the graph, taken out of it; None: there are none.
        """
        task_N = self.task(features_NF)
        known = self.known
        if own_NM is not None:
            known = known.less(edges(features_NF, own_NM, task_N, known.size_T.shape[0]))
        tried_M1 = known.count_M.clamp(min=1)[:, None]
        heard_MF = torch.cat([known.good_MF, known.tried_MF - known.good_MF], dim=1) / tried_M1
        candidate_MH = torch.relu(self.candidate_MH + self.prompt_to_candidate(heard_MF))
        general_M = known.quality_TM.sum(dim=0) / known.count_M.clamp(min=1)
        # A task hears of a candidate how much better it does there than anywhere; untold, nothing.
        lead_TM = (known.quality_TM - general_M * known.count_TM) / known.count_TM.clamp(min=1)
        task_TH = torch.relu(
            self.prompt_to_task(known.features_TF / known.size_T.clamp(min=1)[:, None])
            + lead_TM @ self.candidate_to_task(candidate_MH)
        )
        prompt_NH = self.dropout(torch.relu(self.prompt(features_NF) + self.task_to_prompt(task_TH)[task_N]))
        logits_NM: Tensor = prompt_NH @ self.edge(candidate_MH).T + self.bias_M
        return logits_NM


def fit(
    training: Board,
    seed: int,
    config: GraphConfig = GraphConfig(),
) -> NeuralModel:
    """Draws the graph of all training prompts and trains its messages on edges left out a batch at a time.

    Raises:
        ValueError: no outcome.
    """
    centre_TF = torch.tensor(cluster(unit_rows(training.features_NF), config.tasks, seed)[0])
    features_NF = torch.tensor(training.features_NF, dtype=torch.float32)
    quality_NM = torch.tensor(training.quality_NM, dtype=torch.float32)

    def left_out(module: nn.Module, batch: Batch) -> Tensor:
        return masked_bce(module(batch[0], batch[1]), batch[1])

    return train(training, seed, lambda: Graph(centre_TF, features_NF, quality_NM, config), config.fit, loss=left_out)
