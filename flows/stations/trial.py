"""The operating policy before the gate: on which prompts, against whom, and what the report says of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval
from components.evaluation.criteria import Criterion
from components.evaluation.gate import Played, Verdict, judge
from components.evaluation.gate_config import GateConfig
from components.evaluation.paired import Moments
from components.evaluation.standing import Standing, standing
from components.learning.evidence import evidence_of, stand_in_variance, support_of
from components.learning.judged import Judged
from components.learning.router import LEARNING
from components.reports.operating import operating_section, whatif_curve
from components.tables.board import Board
from flows.platform import paths
from flows.platform.arrays import load_arrays
from flows.platform.references import DataRef
from flows.stations.champion import Rival, champion, first_of_year, play, same
from flows.stations.grading import grader_of, grading_of
from pointsman.bundle.pointer import read_pointer
from pointsman.model.prediction import Prediction
from pointsman.model.router_model import RouterModel
from pointsman.policy.policy import Policy, decide, parse


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """Everything that the verdict on the operating policy reads. Shapes: N prompts of the board, M candidates."""

    board: Board
    model: RouterModel
    policy: Policy
    """The operating policy."""
    test_prediction: Prediction
    judged: Judged
    choice_N: NDArray[np.intp]
    challenger: Played
    best_single: Played
    standing: Standing
    grader: str | None
    grading: dict[str, Any] | None
    seed: int

    @property
    def test_cost_NM(self) -> NDArray[np.float64]:
        """USD of each candidate on the test prompts, expected where it wasn't logged."""
        return self.judged.cost_usd_NM[self.board.rows("test")]

    def verdict(
        self,
        texts: list[str],
        *,
        calibration_error: float,
        self_check: bool,
        controls: Mapping[str, Moments],
        leave_one_out: Mapping[str, Interval],
        latency_ms: float,
        simulated: bool,
        force: bool,
        config: GateConfig,
    ) -> tuple[Verdict, dict[str, Any]]:
        """The gate's verdict, and what the report says of the routers compared with."""
        rows_N = self.standing.rows_N
        # read before the bundle: where another is put into service meanwhile, the verdict is void, not unnoticed
        in_service = read_pointer(paths.published())
        bundle = champion(self.model, self.policy)
        rival = None if bundle is None else play(bundle, "the router in service", self.board, texts, self.judged)
        first, looks = first_of_year()
        anchor: Rival | None = None
        if first is not None and bundle is not None and not same(first, self.model, self.policy):
            one = first.manifest.router_id == bundle.manifest.router_id
            anchor = rival if one else play(first, "the first router of the year", self.board, texts, self.judged)
        extra = () if rival is None or force else _same_world(rival, simulated)
        comparable = rival is not None and rival.shared > 0
        found = judge(
            challenger=self.challenger.take(rows_N),
            best_single=self.best_single.take(rows_N),
            champion=rival.played.take(rows_N) if rival is not None and comparable else None,
            anchor=anchor.played.take(rows_N) if anchor is not None and anchor.shared > 0 else None,
            looks=looks,
            calibration_error=calibration_error,
            self_check=self_check,
            controls=controls,
            leave_one_out=leave_one_out,
            latency_ms=latency_ms,
            wanted_prompts=self.standing.wanted,
            effective_prompts=self.effective_prompts(),
            extra=extra,
            config=config,
        )
        judged_against = {
            "in_service": in_service,
            "champion": None if rival is None else _rival_section(rival, rows_N),
            "first_champion": None if anchor is None else _rival_section(anchor, rows_N),
        }
        return found, {"judged_against": judged_against}

    def effective_prompts(self) -> float | None:
        """Complete prompts that the evidence is worth; None where all outcomes were observed."""
        if evidence_of(self.board, self.seed).kind == "complete":
            return None
        singles = np.full(self.choice_N.size, int(self.model.fallback))
        return min(float(self._support(choice_N)["effective_sample_size"]) for choice_N in (self.choice_N, singles))

    def _support(self, choice_N: NDArray[np.intp]) -> dict[str, Any]:
        """What is known of these choices on the judged prompts."""
        rows_K = np.flatnonzero(self.standing.rows_N)
        evidence = evidence_of(self.board, self.seed).take(rows_K)
        return support_of(self.board.take(rows_K), evidence, self.judged.quality_NM[rows_K], choice_N[rows_K])

    def section(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        """`operating` of the report."""
        rows_N, benchmark_N = self.standing.rows_N, self.board.benchmark_N
        effective = self.effective_prompts()
        learnt_N = np.isin(self.board.split_N, (*LEARNING, "test"))
        return operating_section(
            self.challenger.take(rows_N),
            self.best_single.take(rows_N),
            self.choice_N[rows_N],
            int(self.model.fallback),
            self.board.models,
            policy=str(declared["policy"]),
            asked=str(declared["asked"]),
            seed=self.seed,
            facts={
                **self._support(self.choice_N),
                "parity_loss": declared["loss"],
                "effective_sample_size": float(rows_N.sum()) if effective is None else effective,
                "grader": self.grader,
                "grading": self.grading,
                "prompts": int(rows_N.sum()),
                "test_prompts": self.standing.test,
                "fell_out": int(learnt_N.sum() - rows_N.sum()) if not self.standing.flattered else 0,
                "benchmarks": [int(np.unique(benchmark_N[rows_N]).size), int(np.unique(benchmark_N[learnt_N]).size)],
                "learning_prompts_left_out": self.standing.flattered,
                "flattered_in": list(self.standing.flattered_in),
                "costs": "logged" if np.isfinite(self.board.cost_usd_NM[self.board.observed_NM]).all() else "estimated",
            },
        )

    def whatif(self, declared: Policy) -> list[dict[str, Any]]:
        """What other policies would be worth on the test prompts."""
        judged = self.judged.take(self.board.rows("test"))
        fallback = int(self.model.fallback)
        return whatif_curve(self.test_prediction, judged, fallback, self.board.models, declared, self.seed)

    def coverage(self) -> dict[str, Any]:
        """Observed outcomes of each candidate by benchmark, for logs that don't have all."""
        labels, place_N = np.unique(self.board.benchmark_N, return_inverse=True)
        count = np.zeros((labels.size, len(self.board.models)), dtype=np.int64)
        np.add.at(count, place_N, self.board.observed_NM.astype(np.int64))
        return {
            "candidates": list(self.board.models),
            "rows": [
                {"benchmark": str(label), "prompts": int((place_N == row).sum()), "outcomes": count[row].tolist()}
                for row, label in enumerate(labels)
            ],
        }


def on_trial(
    board: Board,
    model: RouterModel,
    prediction: Prediction,
    judged_test: Board,
    *,
    tables: DataRef,
    operated: DataRef,
    seed: int,
) -> Trial:
    """The operating policy's choices on every prompt, each by what hadn't seen it, and what they got."""
    test, learning = board.rows("test"), board.rows(*LEARNING)
    learnt = load_arrays(Judged, operated.file("judged.npz"))
    quality_NM, cost_NM = np.full(board.quality_NM.shape, np.nan), np.full(board.quality_NM.shape, np.nan)
    quality_NM[learning], cost_NM[learning] = learnt.quality_NM, learnt.cost_usd_NM
    quality_NM[test] = judged_test.quality_NM
    cost_NM[test] = np.where(np.isnan(judged_test.cost_usd_NM), prediction.cost_usd_NM, judged_test.cost_usd_NM)
    variance_NM = None if learnt.variance_NM is None else np.zeros(quality_NM.shape)
    if variance_NM is not None and learnt.variance_NM is not None:
        variance_NM[learning] = learnt.variance_NM
        variance_NM[test] = stand_in_variance(prediction.quality_NM, evidence_of(board, seed).take(test))
    judged = Judged(quality_NM=quality_NM, cost_usd_NM=cost_NM, variance_NM=variance_NM, group_N=board.group_N)
    fallback = int(model.fallback)
    policy = parse(json.loads(operated.file("operating.json").read_text())["policy"])
    choice_N = np.full(board.split_N.size, -1, dtype=np.intp)
    choice_N[learning] = np.load(operated.file("held_choice.npy"))
    choice_N[test] = decide(prediction, policy, fallback=fallback).candidate_N
    got_N, _ = judged.at(choice_N)
    singles_N = np.full(choice_N.size, fallback)
    single_N, _ = judged.at(singles_N)
    challenger = judged.played("the router", choice_N, board.group_N)
    best_single = judged.played(f"always using {board.models[fallback]}", singles_N, board.group_N)
    stood = standing(challenger, best_single, board.split_N == "test")
    return Trial(
        board=board,
        model=model,
        policy=policy,
        test_prediction=prediction,
        judged=judged,
        choice_N=choice_N,
        challenger=challenger,
        best_single=best_single,
        standing=stood,
        grader=grader_of(tables),
        grading=grading_of(tables, board, choice_N, fallback, got_N - single_N, stood.rows_N, seed),
        seed=seed,
    )


def simulated(logs: DataRef) -> bool:
    """Whether logs come from the simulated world: it keeps its truth beside them."""
    return (logs.path / "truth.parquet").exists()


def _same_world(rival: Rival, simulated: bool) -> tuple[Criterion, ...]:
    """A simulated or foreign router never replaces a real one unless forced."""
    found = []
    if simulated and not rival.simulated:
        found.append(
            Criterion(
                name="real logs",
                words="These logs are simulated; the router in service was trained on real ones",
                figure=0.0,
                threshold=1.0,
                passed=False,
                advice="Give your own logs with --data, or replace it all the same with --force.",
            )
        )
    if rival.shared == 0:
        found.append(
            Criterion(
                name="known candidates",
                words="None of the candidates of the router in service is in these logs",
                figure=0.0,
                threshold=1.0,
                passed=False,
                advice="Is this the right data folder? If so, replace it with --force.",
            )
        )
    return tuple(found)


def _rival_section(rival: Rival, rows_N: NDArray[np.bool_]) -> dict[str, Any]:
    known = int((~np.isnan(rival.played.quality_N[rows_N])).sum())
    return {
        "router_id": rival.router_id,
        "prompts": known,
        "left_out": int(rows_N.sum()) - known,
        "training_prompts_in_these_logs": rival.known_share,
    }
