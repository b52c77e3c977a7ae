import dataclasses

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from components.heads.implicit.export import iterations_for, to_layer, to_onnx, unrolled
from components.heads.implicit.fixed_point import Activation, SolverConfig
from components.heads.implicit.head import ImplicitConfig, ImplicitHead, to_head
from components.heads.implicit.layer import ImplicitLayer
from components.heads.training import FitReport, seeded

FIT = FitReport(epochs=0, best_epoch=0, validation_loss=0.0)
FINE = SolverConfig(tolerance=1e-7, max_iterations=5000)


def head(activation: Activation = "relu") -> ImplicitHead:
    """With feedback at the bound and a full skip, as training may leave it."""
    with seeded(0):
        layer = ImplicitLayer(6, 3, ImplicitConfig(states=12, v=0.7, activation=activation, solver=FINE))
        torch.nn.init.normal_(layer.feedback_SS)
        torch.nn.init.normal_(layer.skip.weight)
    layer.project()
    return to_head(layer, torch.tensor(features()), FIT)


def features(rows: int = 40) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(rows, 6)).astype(np.float32)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_onnx_gives_what_the_fixed_point_gives(activation: Activation) -> None:
    made = head(activation)
    content = to_onnx(made)
    onnx.checker.check_model(onnx.load_from_string(content))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for rows in (1, 40):
        found_NM = session.run(["quality"], {"features": features(rows)})[0]
        np.testing.assert_allclose(found_NM, made.predict(features(rows)), atol=1e-5)
    fixed_point_NM = torch.sigmoid(to_layer(made)(torch.tensor(features()))).detach().numpy()
    np.testing.assert_allclose(found_NM, fixed_point_NM, atol=1e-5)


def test_too_few_iterations_are_told_from_enough() -> None:
    made = head()
    session = onnxruntime.InferenceSession(to_onnx(made, 2), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(["quality"], {"features": features()})[0] - made.predict(features())).max() > 1e-3


def test_exported_by_torch_it_gives_the_same() -> None:
    made = head()
    module = unrolled(made, 10)
    inputs = torch.tensor(features())
    exported = torch.export.export(module, (inputs,)).module()
    torch.testing.assert_close(exported(inputs), module(inputs))


def test_iterations_are_enough_for_the_accuracy_and_not_many_more() -> None:
    # A single state with a = 0.9 and drive 1: the error after k iterations from 1 is exactly 0.9^(k+1) / (1 - 0.9).
    made = dataclasses.replace(
        head(),
        **{name: np.full_like(getattr(head(), name)[:1], 0) for name in ("drive_SF", "drive_bias_S")},
        feedback_SS=np.full((1, 1), 0.9, dtype=np.float32),
        output_MS=np.ones((3, 1), dtype=np.float32),
    )
    for accuracy in (1e-2, 1e-6):
        k = iterations_for(made, accuracy)
        assert 0.9**k / 0.1 <= accuracy < 0.9 ** (k - 2) / 0.1
    assert iterations_for(dataclasses.replace(made, feedback_SS=np.zeros((1, 1), dtype=np.float32)), 1e-6) == 1


def test_bad_input_is_named() -> None:
    for accuracy in (0, 1):
        with pytest.raises(ValueError, match=r"accuracy must be in \(0, 1\)"):
            iterations_for(head(), accuracy)
    with pytest.raises(ValueError, match="iterations must be >= 1"):
        to_onnx(head(), 0)
