import logging
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from components.heads.training import Diverged, FitConfig, fit, seeded


def problem(rows: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    with seeded(seed):
        x = torch.randn(rows, 3)
        return x, x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1 * torch.randn(rows, 1)


def linear(seed: int = 0) -> nn.Linear:
    with seeded(seed):
        return nn.Linear(3, 1)


def test_reaches_least_squares() -> None:
    model, data = linear(), problem(400, 1)
    config = FitConfig(epochs=200, learning_rate=0.02, batch_size=100, patience=200)
    fit(model, lambda rows: functional.mse_loss(model(rows[0]), rows[1]), data, problem(0, 2), config, 0)
    exact = torch.linalg.lstsq(torch.cat([data[0], torch.ones(400, 1)], dim=1), data[1]).solution
    torch.testing.assert_close(model.weight.detach().T, exact[:3], atol=0.01, rtol=0)


def test_keeps_the_weights_of_the_best_epoch_and_stops_when_patience_is_spent() -> None:
    model, seen = linear(), []
    validation = problem(50, 2)

    def worse_and_worse(_rows: tuple[torch.Tensor, ...]) -> torch.Tensor:
        seen.append(model.weight.detach().clone())
        return torch.tensor([5.0, 3.0, 4.0, 4.0, 4.0, 1.0][min(len(seen) - 1, 5)])

    report = fit(
        model,
        lambda rows: functional.mse_loss(model(rows[0]), rows[1]),
        problem(64, 1),
        validation,
        FitConfig(epochs=50, patience=3),
        0,
        validation_loss=worse_and_worse,
    )
    assert (report.epochs, report.best_epoch, report.validation_loss) == (4, 1, 3.0)
    assert torch.equal(model.weight, seen[1])
    assert not torch.equal(model.weight, seen[-1])
    assert not model.training


def test_without_validation_rows_the_objective_itself_is_judged() -> None:
    model, data = linear(), problem(64, 1)
    report = fit(
        model,
        lambda rows: functional.mse_loss(model(rows[0]), rows[1]) + model.weight.square().sum(),
        data,
        (data[0][:0], data[1][:0]),
        FitConfig(epochs=200, learning_rate=0.05, patience=200),
        0,
        validation_loss=lambda rows: functional.mse_loss(model(rows[0]), rows[1]),
    )
    held = functional.mse_loss(model(data[0]), data[1]) + model.weight.square().sum()
    assert report.validation_loss == pytest.approx(held.item())


def test_is_never_worse_than_the_start() -> None:
    model = linear()
    start = model.weight.detach().clone()
    report = fit(
        model,
        lambda rows: -functional.mse_loss(model(rows[0]), rows[1]),
        problem(64, 1),
        problem(64, 2),
        FitConfig(epochs=5, patience=2),
        0,
        validation_loss=lambda rows: functional.mse_loss(model(rows[0]), rows[1]),
    )
    assert report.best_epoch == 0
    assert torch.equal(model.weight, start)


def test_frozen_parameters_stay_and_after_step_runs_each_step() -> None:
    model, steps = linear(), []
    model.bias.requires_grad_(False)
    bias = model.bias.clone()
    fit(
        model,
        lambda rows: functional.mse_loss(model(rows[0]), rows[1]),
        problem(100, 1),
        problem(20, 2),
        FitConfig(epochs=3, batch_size=40),
        0,
        after_step=lambda: steps.append(1),
    )
    assert len(steps) == 9
    assert torch.equal(model.bias, bias)


def test_is_quiet_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    model = linear()
    fit(
        model,
        lambda rows: functional.mse_loss(model(rows[0]), rows[1]),
        problem(40, 1),
        problem(20, 2),
        FitConfig(epochs=2),
        0,
    )
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_divergence_and_no_rows_are_errors() -> None:
    model = linear()
    loss = lambda rows: functional.mse_loss(model(rows[0]), rows[1])  # noqa: E731
    with pytest.raises(ValueError, match="no training rows"):
        fit(model, loss, problem(0, 1), problem(5, 1), FitConfig(), 0)
    with pytest.raises(Diverged, match="validation loss is nan after epoch 0"):
        fit(model, loss, problem(9, 1), (problem(5, 1)[0], torch.full((5, 1), torch.nan)), FitConfig(), 0)
    with pytest.raises(ValueError, match="learning_rate must be > 0"):
        FitConfig(learning_rate=0)


def test_a_fit_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    model, data = linear(), problem(64, 1)
    with caplog.at_level(logging.INFO, logger="components.heads.training"):
        report = fit(
            model, lambda rows: functional.mse_loss(model(rows[0]), rows[1]), data, data, FitConfig(epochs=2), seed=0
        )
    own = [record.getMessage() for record in caplog.records if record.name == "components.heads.training"]
    assert own == [
        f"Linear: 2 epochs on 64 rows, validation loss {report.validation_loss:.4f} after epoch {report.best_epoch}"
    ]


def test_a_machine_with_a_gpu_is_told_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightning.pytorch.trainer.setup.CUDAAccelerator.is_available", lambda: True)
    model, data = linear(), problem(40, 1)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        fit(model, lambda rows: functional.mse_loss(model(rows[0]), rows[1]), data, data, FitConfig(epochs=1), 0)
    assert not [str(one.message) for one in heard if "available" in str(one.message)]
