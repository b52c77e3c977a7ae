"""Fabric's epochs against a loop by hand."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from components.heads.lightning_loop import trained
from components.heads.training import Batch, FitConfig, seeded

CONFIG = FitConfig(epochs=7, batch_size=16, learning_rate=0.02, weight_decay=0.1, patience=7)


def problem(rows: int, seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 5, generator=generator)
    return x, (x.sum(dim=1, keepdim=True) > 0).float()


def network() -> nn.Module:
    with seeded(1):
        return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


def test_weights_and_losses_are_those_of_a_loop_by_hand() -> None:
    training, validation = problem(50, 2), problem(30, 3)
    ours, other = network(), network()

    def loss(module: nn.Module, rows: Batch) -> Tensor:
        return functional.binary_cross_entropy_with_logits(module(rows[0]), rows[1])

    with seeded(4):
        report, best = trained(
            ours, lambda rows: loss(ours, rows), lambda: loss(ours, validation), training, CONFIG, 4, lambda: None
        )
    optimizer = torch.optim.AdamW(other.parameters(), lr=CONFIG.learning_rate, weight_decay=CONFIG.weight_decay)
    order, losses, states = torch.Generator().manual_seed(4), [], []
    with seeded(4):
        for epoch in range(CONFIG.epochs + 1):
            for rows_B in torch.randperm(50, generator=order).split(16) if epoch else ():
                optimizer.zero_grad()
                loss(other, (training[0][rows_B], training[1][rows_B])).backward()
                optimizer.step()
            other.eval()
            with torch.no_grad():
                losses.append(float(loss(other, validation)))
            other.train()
            states.append(copy.deepcopy(other.state_dict()))
    assert report.losses == tuple(losses)
    assert report.best_epoch == min(range(len(losses)), key=losses.__getitem__)
    assert all(torch.equal(best[name], value) for name, value in states[report.best_epoch].items())
