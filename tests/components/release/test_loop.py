"""The loop closes: what a router decides and hears becomes tables, and the router learnt from them decides better.

Everything is measured on the planted truth: the expected quality of every candidate on every prompt.
"""

import itertools
import json
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from tokenizers import Tokenizer, models, pre_tokenizers

from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.embeddings.folders import write_static
from components.learning.evidence import with_inclusion
from components.learning.refit import QUICK
from components.learning.router import LearnConfig, learn_router
from components.release.writing import write_bundle
from components.sources.importing import ImportConfig, import_logs
from components.sources.planted.world import PlantedConfig, World, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway
from components.tables.board import to_board
from components.tables.splits import SPLITS, SplitConfig, assign_groups
from components.tables.store import Tables, read_tables, write_tables
from components.tasks.discovery_config import DiscoveryConfig
from pointsman.bundle.evidence import no_evidence
from pointsman.bundle.manifest import Candidate, Provenance
from pointsman.policy.exploration import ExplorationConfig
from pointsman.router import Router
from pointsman.serving import requests
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.decision_log import LogConfig
from pointsman.text.encoder import Encoder
from tests.fixtures.tiny_router import REPORT

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]
GRADED, TRAFFIC, ROUNDS, HELD_OUT = 500, 2500, 3, 500
TOGETHER = 100
CONFIG = LearnConfig(discovery=DiscoveryConfig(density_minimum_samples=(), resolutions=(1.0,), repeats=1), stages=QUICK)


def bag_of_words(texts, folder):
    """A static encoder of random vectors, one a word of the texts: enough to tell planted tasks apart."""
    words = ["[UNK]", *sorted({word for text in texts for word in text.split()})]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    vectors_VD = np.random.default_rng(0).normal(size=(len(words), 128)).astype(np.float32)
    write_static("bag of words", vectors_VD, tokenizer.to_str(), folder)
    return folder


@dataclass
class Loop:
    """The world, its gateway, and where everything is kept."""

    world: World
    home: Path

    def __post_init__(self):
        self.gateway = PlantedGateway(self.world, GatewayConfig(noise=0.0))
        self.prompts = self.world.tables.prompts["prompt"].to_list()
        self.models = tuple(sorted(self.world.tables.candidates["model"]))
        truth = self.world.expected_quality.pivot(on="model", index="prompt_id", values="expected_quality")
        order = self.world.tables.prompts.select("prompt_id").join(truth, on="prompt_id", maintain_order="left")
        self.truth_NM = order.select(self.models).to_numpy()
        self.encoder = bag_of_words(self.prompts[:GRADED], self.home / "static")

    @property
    def data(self):
        return self.home / "data"

    def start(self):
        """Of each of the first prompts one graded answer, by any candidate."""
        rows = np.random.default_rng(0).integers(len(self.models), size=GRADED)
        ids = self.world.tables.prompts["prompt_id"][:GRADED]
        asked = pl.DataFrame({"prompt_id": ids, "model": [self.models[row] for row in rows]})
        outcomes = self.world.tables.outcomes.join(asked, on=["prompt_id", "model"], how="semi", maintain_order="left")
        outcomes = outcomes.with_columns(propensity=pl.lit(1 / len(self.models)))
        prompts = self.world.tables.prompts[:GRADED]
        write_tables(Tables(prompts=prompts, candidates=self.world.tables.candidates, outcomes=outcomes), self.data)

    def train(self):
        """A bundle of what the tables hold now."""
        tables = read_tables(self.data)
        texts, encoder = tables.prompts["prompt"].to_list(), Encoder.load(self.encoder)
        tokens, board = encoder.tokenize(texts), to_board(tables)
        size = len(texts)
        group_N, nothing_N = np.arange(size, dtype=np.int32), np.zeros(size, dtype=bool)
        benchmark_N = np.full(size, "")
        split_N = np.array(SPLITS)[assign_groups(group_N, benchmark_N, nothing_N, SplitConfig(seed=0))]
        fitted = fit_features(
            tokens.take(np.flatnonzero(split_N == "train")), encoder.vocabulary, FeatureConfig(seed=0)
        )
        embedding_ND = encoder.encode_tokens(tokens)
        board = replace(
            board,
            split_N=split_N,
            group_N=group_N,
            benchmark_N=benchmark_N,
            embedding_ND=embedding_ND,
            features_NF=fitted.transform(embedding_ND, tokens),
            input_tokens_N=tokens.length_N.astype(np.float64),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            learnt = learn_router(with_inclusion(board, 0), np.arange(size), CONFIG, 0)
        seen, model = learnt.seen, learnt.trained.model
        tasks = len(model.task_quality_TM)
        counts = [seen.observed_NM[seen.task_N == task].sum(axis=0) for task in range(tasks)]
        evidence = replace(
            no_evidence(tasks, len(board.models)),
            count_TM=np.array(counts, dtype=np.int64).reshape(tasks, -1),
            count_M=seen.observed_NM.sum(axis=0).astype(np.int64),
        )
        names = tuple(Candidate(model=name) for name in board.models)
        golden = Router(model, fitted, encoder, board.models).golden(self.prompts[:8])
        provenance = Provenance(candidates=names, seeds={"rows": size})
        return self.home / write_bundle(self.home, model, fitted, self.encoder, provenance, REPORT, golden, evidence)

    def serve(self, bundle, turn):
        """A round of traffic: decided, answered, graded, told; mean true regret of what was sent to whom."""
        log = LogConfig(folder=self.home / f"log{turn}", flush_seconds=60)
        explore = ExplorationConfig(rate=0.05)
        http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, log=log, explore=explore)))
        rows = np.arange(GRADED + turn * TRAFFIC, GRADED + (turn + 1) * TRAFFIC)
        chosen, propensities = [], []
        for some in np.array_split(rows, len(rows) // TOGETHER):
            asked = {"prompts": [self.prompts[row] for row in some], "policy": "best"}
            for row, decided in zip(some, http.post("/v1/route", json=asked).json()["decisions"], strict=True):
                answer, usage = self._ask(decided["candidate"], self.prompts[row])
                told = {"decision_id": decided["decision_id"], "quality": self._grade(answer), **usage}
                assert http.post("/v1/outcomes", json=told).status_code == 200
                chosen.append(self.models.index(decided["candidate"]))
                propensities.append(decided["propensity"])
        http.app.state.log.flush()
        import_logs(ImportConfig(source="decisions", paths=(log.folder,), data=self.data, append=True))
        truth_KM = self.truth_NM[rows]
        regret = (truth_KM.max(axis=1) - truth_KM[np.arange(len(rows)), chosen]).mean()
        return float(regret), np.array(propensities)

    def _ask(self, model, prompt):
        status, body = self.gateway.complete({"model": model, "messages": [{"role": "user", "content": prompt}]})
        assert status == 200
        found = json.loads(body)
        usage = {"input_tokens": found["usage"]["prompt_tokens"], "output_tokens": found["usage"]["completion_tokens"]}
        return found["choices"][0]["message"]["content"], usage

    def _grade(self, answer):
        asked = {"model": "planted-judge", "messages": [{"role": "user", "content": answer}], "response_format": {}}
        _, body = self.gateway.complete(asked)
        return json.loads(json.loads(body)["choices"][0]["message"]["content"])["grade"]

    def worth(self, bundle):
        """Mean true quality and regret on prompts that no round ever saw."""
        rows = np.arange(len(self.prompts) - HELD_OUT, len(self.prompts))
        chosen = Router.load(bundle).route([self.prompts[row] for row in rows], policy="best").candidate
        truth_KM = self.truth_NM[rows]
        got_K = truth_KM[np.arange(len(rows)), [self.models.index(name) for name in chosen]]
        return float(got_K.mean()), float((truth_KM.max(axis=1) - got_K).mean())


def test_three_rounds_of_traffic_make_a_better_router(tmp_path, monkeypatch):
    numbers = itertools.count()
    # draws are settled by decisions' names, which are random else
    monkeypatch.setattr(requests, "new_id", lambda: f"decision-{next(numbers)}")
    size = GRADED + ROUNDS * TRAFFIC + HELD_OUT
    loop = Loop(generate(PlantedConfig(prompts=size, seed=3)), tmp_path)
    loop.start()
    bundle = loop.train()
    found = [loop.worth(bundle)]
    regrets = []
    for turn in range(ROUNDS):
        regret, propensities = loop.serve(bundle, turn)
        regrets.append(regret)
        # exploring really happens: most decisions could have been others
        assert (propensities < 1).mean() > 0.5
        assert 0.85 < propensities.mean() < 0.99
        tables = read_tables(loop.data)
        assert tables.outcomes.height == tables.prompts.height == GRADED + (turn + 1) * TRAFFIC
        assert tables.outcomes["propensity"].null_count() == 0
        bundle = loop.train()
        found.append(loop.worth(bundle))
    quality, regret = zip(*found, strict=True)
    best_single = loop.truth_NM[-HELD_OUT:].mean(axis=0).max()
    print("on unseen prompts, before and after each round: quality", quality, "regret", regret)
    print("best single candidate:", best_single, "regret of each round's traffic:", regrets)
    assert quality[-1] > quality[0] + 0.02
    assert quality[-1] > best_single
    assert regret[-1] < 0.9 * regret[0]
    assert regrets[-1] < regrets[0]
