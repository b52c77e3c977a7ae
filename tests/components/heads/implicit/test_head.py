import numpy as np
import pytest
from numpy.typing import NDArray

from components.heads.implicit.head import ImplicitConfig, ImplicitHead, train_implicit_head
from components.heads.training import FitConfig
from components.tables.units import tenth

QUICK = ImplicitConfig(states=16, fit=FitConfig(epochs=25, learning_rate=0.01, batch_size=64))


def planted(prompts: int = 400, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    features_NF = random.normal(size=(prompts, 6)).astype(np.float32)
    odds_NM = np.abs(features_NF @ np.random.default_rng(9).normal(size=(6, 3))) - 1
    quality_NM = (random.uniform(size=(prompts, 3)) < 1 / (1 + np.exp(-3 * odds_NM))).astype(np.float64)
    quality_NM[random.uniform(size=quality_NM.shape) < 0.2] = np.nan
    return features_NF, quality_NM


def test_learns_a_nonlinear_quality_and_stays_well_posed() -> None:
    head = train_implicit_head(*planted(), QUICK, seed=1)
    features_NF, quality_NM = planted(seed=5)
    predicted_NM = head.predict(features_NF)
    seen_NM = ~np.isnan(quality_NM)
    error = np.square(predicted_NM - quality_NM)[seen_NM].mean()
    assert error < 0.9 * np.square(np.nanmean(quality_NM, axis=0) - quality_NM)[seen_NM].mean()
    assert predicted_NM.dtype == np.float64
    assert 0 < head.statistics.norm_inf <= 0.95 + 1e-6
    assert head.statistics.spectral_radius <= head.statistics.norm_inf
    assert head.statistics.residual <= QUICK.solver.tolerance
    assert head.statistics.iterations_max >= head.statistics.iterations_mean > 1


def test_head_predicts_what_the_layer_does_at_the_fixed_point() -> None:
    head = train_implicit_head(*planted(), QUICK, seed=1)
    features_NF = planted(seed=5)[0]
    a, b = head.feedback_SS.astype(float), head.drive_SF.astype(float)
    for features, predicted in zip(features_NF[:10].astype(float), head.predict(features_NF), strict=False):
        state = np.zeros(16)
        for _ in range(2000):
            state = np.maximum(a @ state + b @ features + head.drive_bias_S, 0)
        logits = head.output_MS @ state + head.skip_MF @ features + head.output_bias_M
        np.testing.assert_allclose(predicted, 1 / (1 + np.exp(-logits)), atol=1e-3)


def test_the_same_seed_gives_the_same_head() -> None:
    first, second = (train_implicit_head(*planted(100), QUICK, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.feedback_SS, second.feedback_SS)
    assert first.statistics == second.statistics


def test_bad_input_is_named() -> None:
    features_NF, quality_NM = planted(50)
    with pytest.raises(ValueError, match="nan or infinite"):
        train_implicit_head(features_NF * np.float32(np.nan), quality_NM, QUICK)
    with pytest.raises(ValueError, match="no row has an outcome"):
        train_implicit_head(features_NF, quality_NM * np.nan, QUICK)
    with pytest.raises(ValueError, match="don't match"):
        train_implicit_head(features_NF[:3], quality_NM, QUICK)
    head = train_implicit_head(features_NF, quality_NM, QUICK)
    with pytest.raises(ValueError, match="nan or infinite"):
        head.predict(features_NF * np.float32(np.nan))
    with pytest.raises(ValueError, match=r"must have shape \(N, 6\)"):
        head.predict(features_NF[:, :2])
    with pytest.raises(ValueError, match="A must be square"):
        altered(head, feedback_SS=head.feedback_SS[:, :4])
    with pytest.raises(ValueError, match="below 1 for a unique fixed point"):
        altered(head, feedback_SS=np.eye(16, dtype=np.float32))
    with pytest.raises(ValueError, match="C must have shape"):
        altered(head, output_MS=head.output_MS[:, :4])
    with pytest.raises(ValueError, match="B holds nan"):
        altered(head, drive_SF=head.drive_SF * np.float32(np.nan))


def altered(head: ImplicitHead, **changes: object) -> ImplicitHead:
    fields = {name: getattr(head, name) for name in head.__dataclass_fields__}
    return ImplicitHead(**(fields | changes))


def test_training_is_stopped_by_whole_conversations() -> None:
    """As if the held-out tenth, whose turns all belong together, had been given."""
    features_NF, quality_NM = planted(200)
    quality_NM[np.isnan(quality_NM).all(axis=1)] = 0.5
    talk_N = np.random.default_rng(1).permutation(np.repeat(np.arange(40), 5))
    held_K, rest_K = tenth(talk_N, 3)
    assert not set(talk_N[held_K]) & set(talk_N[rest_K])
    talks = train_implicit_head(features_NF, quality_NM, QUICK, 3, group_N=talk_N)
    order_K = np.random.default_rng(3).permutation(rest_K.size)
    # given rows are put in an order of their own, so that they are given in its inverse
    given_K = np.empty_like(rest_K)
    given_K[order_K] = rest_K
    given = train_implicit_head(
        features_NF[given_K],
        quality_NM[given_K],
        QUICK,
        3,
        validation_features_NF=features_NF[held_K],
        validation_quality_NM=quality_NM[held_K],
    )
    np.testing.assert_array_equal(talks.output_MS, given.output_MS)
    assert talks.fit == given.fit
    alone = train_implicit_head(features_NF, quality_NM, QUICK, 3)
    assert not np.array_equal(talks.output_MS, alone.output_MS)
    apart = train_implicit_head(features_NF, quality_NM, QUICK, 3, group_N=np.full(200, -1))
    np.testing.assert_array_equal(apart.output_MS, alone.output_MS)
