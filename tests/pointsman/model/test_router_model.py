from dataclasses import replace

import numpy as np
import pytest

from pointsman.model.router_model import LATER, RouterModel, array_names
from pointsman.model.weights import sigmoid


def predictions(model, fresh):
    return model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N)


def test_arrays_round_trip_exactly(fitted):
    model, _, fresh = fitted
    arrays = model.to_arrays()
    assert set(arrays) == array_names()
    rebuilt = RouterModel.from_arrays(arrays)
    for name, array in rebuilt.to_arrays().items():
        np.testing.assert_array_equal(array, arrays[name])
        assert array.dtype == arrays[name].dtype
    before, after = predictions(model, fresh), predictions(rebuilt, fresh)
    for name in ("quality_NM", "cost_usd_NM", "task_N", "margin_N", "novel_N"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


@pytest.mark.parametrize("tasks", [0, 3])
def test_a_file_of_tensors_holds_a_router(fit_world, tasks):
    safetensors = pytest.importorskip("safetensors.numpy")
    model, _, fresh = fit_world(tasks=tasks)
    rebuilt = RouterModel.from_arrays(safetensors.load(safetensors.save(model.to_arrays())))
    np.testing.assert_array_equal(predictions(rebuilt, fresh).quality_NM, predictions(model, fresh).quality_NM)


def test_prediction_is_the_definition_prompt_by_prompt(fitted):
    model, _, fresh = fitted
    found = predictions(model, fresh)
    alpha = float(model.alpha)
    for n in range(20):
        features_F = fresh.features_NF[n]
        posterior_T = model.classifier.posterior(features_F[None])[0].astype(np.float64)
        task = int(posterior_T.argmax()) if posterior_T.max() >= 0.5 else -1
        assert found.task_N[n] == task
        unit_F = features_F / np.linalg.norm(features_F)
        nearest_R = [int(((centre_CF - unit_F) ** 2).sum(axis=1).argmin()) for centre_CF in model.clusters.centre_RCF]
        cluster_M = np.mean([model.clusters.quality_RCM[r, c] for r, c in enumerate(nearest_R)], axis=0)
        soft_M = (posterior_T @ model.task_quality_TM + cluster_M) / 2
        held_M = np.clip(soft_M, 0.01, 0.99)
        heads_M = model.experts.logits(features_F[None], np.array([task], dtype=np.int32))[0]
        prompt_M = sigmoid(np.log(held_M / (1 - held_M)) + heads_M)
        hard_M = model.task_quality_TM[task] if task >= 0 else model.general_quality_M
        table_M = soft_M if model.soft else (hard_M + cluster_M) / 2
        mixed_M = np.clip(alpha * prompt_M + (1 - alpha) * table_M, 1e-4, 1 - 1e-4)
        logit_M = np.log(mixed_M / (1 - mixed_M))
        quality_M = 1 / (1 + np.exp(-model.calibration.slope_M * logit_M - model.calibration.intercept_M))
        np.testing.assert_allclose(found.quality_NM[n], quality_M, rtol=1e-5)


def test_the_margin_grows_with_doubt_and_with_distance(fitted):
    model, _, fresh = fitted
    _, distance_N = model.clusters.nearest(fresh.features_NF)
    usual = float(np.median(distance_N))
    scalars = {"guard_margin": 0.01, "doubt_margin": 0.1, "distance_margin": 0.2, "usual_distance": usual}
    model = replace(model, **{name: np.array(value) for name, value in scalars.items()})
    posterior_NT = model.classifier.posterior(fresh.features_NF).astype(np.float64)
    wanted_N = [
        0.01 + 0.1 * (1 - posterior_T.max()) + 0.2 * (distance - usual if distance > usual else 0.0)
        for posterior_T, distance in zip(posterior_NT, distance_N, strict=True)
    ]
    found_N = predictions(model, fresh).margin_N
    np.testing.assert_allclose(found_N, wanted_N, rtol=1e-6)
    assert found_N.max() <= model.largest_margin()


def test_a_prompt_longer_than_all_that_was_learnt_is_novel(fitted):
    model, _, fresh = fitted
    limit = float(np.median(fresh.input_tokens_N))
    near_N = predictions(replace(model, longest_tokens=np.array(0.0)), fresh).novel_N
    found_N = predictions(replace(model, longest_tokens=np.array(limit)), fresh).novel_N
    np.testing.assert_array_equal(found_N, near_N | (fresh.input_tokens_N > limit))


def test_a_router_of_an_earlier_version_decides_as_it_did(fitted):
    model, _, fresh = fitted
    model = replace(model, doubt_margin=np.array(0.1), distance_margin=np.array(0.2), usual_distance=np.array(0.1))
    arrays = model.to_arrays()
    earlier = {name: array for name, array in arrays.items() if name not in LATER}
    found, wanted = predictions(RouterModel.from_arrays(earlier), fresh), predictions(model, fresh)
    np.testing.assert_array_equal(found.quality_NM, wanted.quality_NM)
    doubt_N = 1 - model.classifier.posterior(fresh.features_NF).astype(np.float64).max(axis=1)
    np.testing.assert_allclose(found.margin_N, float(model.guard_margin) + 0.1 * doubt_N)
    assert (found.margin_N < wanted.margin_N).any()


def test_a_prompts_prediction_does_not_hang_on_its_batch(fitted):
    model, _, fresh = fitted
    whole = predictions(model, fresh)
    single = model.predict(fresh.features_NF[7:8], fresh.embedding_ND[7:8], fresh.input_tokens_N[7:8])
    np.testing.assert_allclose(single.quality_NM[0], whole.quality_NM[7], rtol=1e-5)
    np.testing.assert_allclose(single.cost_usd_NM[0], whole.cost_usd_NM[7], rtol=1e-5)


def test_an_empty_batch_is_predicted(fitted):
    model, _, fresh = fitted
    empty = model.predict(fresh.features_NF[:0], fresh.embedding_ND[:0], fresh.input_tokens_N[:0])
    assert empty.quality_NM.shape == empty.cost_usd_NM.shape == (0, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": None}, "lacks arrays: alpha"),
        ({"extra": np.zeros(1)}, "unknown arrays: extra"),
        ({"alpha": np.array(2.0)}, "alpha must be in"),
        ({"fallback": np.array(9)}, "fallback must be in"),
        ({"fallback": np.array(0.0)}, "kind 'i'"),
        ({"guard_margin": np.array(-1.0)}, "guard_margin must be"),
        ({"doubt_margin": np.array(-1.0)}, "doubt_margin must be"),
        ({"distance_margin": np.array(-1.0)}, "distance_margin must be"),
        ({"usual_distance": np.array(np.nan)}, "aren't finite"),
        ({"longest_tokens": np.array(-1.0)}, "longest_tokens must be"),
        ({"general_quality_M": np.zeros(5)}, "has M = "),
        ({"experts.trunk_bias_H": np.zeros(2, np.float32)}, "has H = "),
        ({"task_quality_TM": np.zeros(3)}, "must have 2 dimensions"),
        ({"classifier.hidden_bias_H": np.full(6, np.nan, np.float32)}, "aren't finite"),
        ({"calibration.slope_M": np.zeros(4)}, "must be > 0"),
    ],
)
def test_damaged_arrays_are_refused(fitted, change, message):
    arrays = {**fitted[0].to_arrays(), **change}
    with pytest.raises(ValueError, match=message):
        RouterModel.from_arrays({name: array for name, array in arrays.items() if array is not None})


def test_wrong_inputs_are_refused(fitted):
    model, _, fresh = fitted
    with pytest.raises(ValueError, match="features must be"):
        model.predict(fresh.features_NF[:, 1:], fresh.embedding_ND, fresh.input_tokens_N)
    with pytest.raises(ValueError, match="embedding must be"):
        model.predict(fresh.features_NF, fresh.embedding_ND[1:], fresh.input_tokens_N)
    with pytest.raises(ValueError, match="input_tokens must be"):
        model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N[1:])
    with pytest.raises(ValueError, match="must be finite"):
        model.predict(fresh.features_NF * np.nan, fresh.embedding_ND, fresh.input_tokens_N)
