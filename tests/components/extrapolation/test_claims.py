"""Verdicts follow from the errors alone: each is reached, and lost again, by changing nothing but errors."""

import pytest

from components.extrapolation.catalogue import CATALOGUE
from components.extrapolation.claims import EXPLANATIONS, depth, exactness, findings, superiority

SEEDS = 5


def curve(*errors):
    """The same errors for every seed, up to a little noise; trained at 5, tested at 100."""
    return {
        at: [error * (1 + 0.01 * seed) for seed in range(SEEDS)] for at, error in zip((5, 100), errors, strict=True)
    }


@pytest.fixture
def identity(rows):
    """Measurements of identity in which every model errs by 10 but those named."""

    def make(**better):
        errors = {name: curve(1.0, 10.0) for name in CATALOGUE["identity"].methods}
        return rows("identity", {**errors, **{name: curve(1.0, error) for name, error in better.items()}})

    return make


def test_an_advantage_over_everyone_holds(identity):
    found = superiority(identity(implicit=1.0), "identity", "implicit", "rmse")
    assert (found.verdict, found.because, found.seeds, found.coverage) == ("holds", "", 5, 0.9375)
    assert "mlp 0.1 [0.1, 0.1]" in found.measured


@pytest.mark.parametrize("control", [c for c in EXPLANATIONS if c in CATALOGUE["identity"].methods])
def test_a_simpler_model_that_does_as_well_explains_it(identity, control):
    found = superiority(identity(implicit=1.0, **{control: 1.0}), "identity", "implicit", "rmse")
    assert found.verdict == "holds only because"
    assert found.because == EXPLANATIONS[control]


def test_a_rival_that_does_as_well_refutes_it_whatever_simpler_models_do(identity):
    found = superiority(identity(implicit=1.0, transformer=1.0, least_squares=0.1), "identity", "implicit", "rmse")
    assert (found.verdict, found.because) == ("doesn't hold", "")


def test_one_seed_on_the_other_side_is_enough_for_doubt(identity, rows):
    measured = [row for row in identity(implicit=1.0) if row.method != "mlp"]
    mlp = curve(1.0, 10.0)
    mlp[100][2] = 0.5
    found = superiority([*measured, *rows("identity", {"mlp": mlp})], "identity", "implicit", "rmse")
    assert found.verdict == "doesn't hold"


def test_least_squares_is_exact_or_not(identity):
    assert exactness(identity(), "identity").verdict == "doesn't hold"
    exact = [row for row in identity(least_squares=1e-9) if not (row.method == "least_squares" and row.inside)]
    assert exactness(exact, "identity").verdict == "holds"


@pytest.mark.parametrize(
    ("relative", "absolute", "verdict"),
    [
        ((5, 5), (5, 9), "holds only because"),
        ((5, 9), (5, 9), "holds"),
        ((5, 5), (5, 5), "doesn't hold"),
    ],
)
def test_depth_must_grow_relative_to_the_state(rows, relative, absolute, verdict):
    measured = rows("identity", {"implicit": curve(1.0, 10.0)}, iterations=(relative, absolute))
    found = depth(measured, "identity")
    assert found.verdict == verdict
    assert bool(found.because) == (verdict == "holds only because")


def argmax(rows, implicit_offset):
    methods = CATALOGUE["rolling_argmax"].methods
    scale = rows("rolling_argmax", {m: curve(0.1, 0.1) for m in methods}, iterations=((5, 5), (5, 9)))
    offset = {m: curve(0.1, implicit_offset if m == "implicit" else 0.9) for m in methods}
    return [*scale, *rows("rolling_argmax", offset, family="offset")]


@pytest.mark.parametrize(("offset", "verdict"), [(0.8, "holds"), (0.1, "doesn't hold")])
def test_equivariance_needs_flat_scale_and_broken_offset(rows, offset, verdict):
    found = findings(argmax(rows, offset), {"rolling_argmax": "error rate"})
    assert next(f for f in found if "scale equivariance of networks" in f.claim).verdict == verdict


@pytest.mark.parametrize(
    ("implicit", "skip", "verdict"),
    [(10.0, 12.0, "holds"), (10.0, 90.0, "doesn't hold"), (100.0, 12.0, "doesn't hold")],
)
def test_the_skips_share_of_the_gain(rows, implicit, skip, verdict):
    methods = CATALOGUE["epicentres"].methods
    errors = {m: curve(1.0, 100.0) for m in methods}
    errors |= {"implicit": curve(1.0, implicit), "mlp_skip": curve(1.0, skip)}
    found = findings(rows("epicentres", errors, family="bands"), {"epicentres": "km"})
    assert next(f for f in found if "most of its gain" in f.claim).verdict == verdict


@pytest.mark.parametrize(("har", "verdict"), [(10.0, "holds"), (20.0, "doesn't hold")])
def test_no_advantage_over_har(rows, har, verdict):
    errors = {m: curve(1.0, har if m == "har" else 10.0) for m in CATALOGUE["volatility"].methods}
    found = findings(rows("volatility", errors, family="years"), {"volatility": "rmse"})
    assert next(f for f in found if "HAR (earlier" in f.claim).verdict == verdict
    assert {f.problem for f in found} == {"volatility", "volatility (implicit_rnn)"}


@pytest.mark.parametrize(("triangular", "verdict"), [(30.0, "holds"), (10.0, "doesn't hold")])
def test_feedback_must_beat_a_triangular_matrix(rows, triangular, verdict):
    errors = {m: curve(1.0, triangular if m == "implicit_triangular" else 10.0) for m in CATALOGUE["identity"].methods}
    measured = rows("identity", errors, iterations=((5, 5), (5, 9)))
    found = findings(measured, {"identity": "rmse"})
    assert next(f for f in found if f.claim.startswith("feedback")).verdict == verdict
