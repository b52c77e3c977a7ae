"""A tiny router with everything real but small: an ONNX graph that averages token vectors, a word tokenizer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from components.embeddings.encoder import DIMENSIONS, Encoder
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.embeddings.features import FeatureMap
from components.heads.weights import ClassifierWeights, ExpertWeights
from components.release.bundle import write_bundle
from components.release.manifest import Candidate, Provenance
from components.release.router import Router
from components.routing.calibrate import identity
from components.routing.cost import CostHead, CostSource
from components.routing.granular import ClusterTables
from components.routing.model import RouterModel
from components.routing.novelty import Novelty

WORDS = [
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "sum",
    "add",
    "number",
    "prove",
    "integral",
    "poem",
    "rhyme",
    "verse",
    "love",
    "sing",
    "code",
    "bug",
    "loop",
    "fix",
    "python",
    "1",
    "2",
    "3",
]
PROMPTS = ["add 1 2", "prove the integral", "sing a poem of love", "fix the bug in the loop", "rhyme verse", "sum 3 1"]
MODELS = ("small", "large")
REPORT = {
    "methods": {"router": {"quality": [0.6, 0.5, 0.7], "cost_usd_per_1000": None, "regret": 0.1, "aiq": None}},
    "discovery": {"method": "graph", "tasks": 2},
    "gate": {"verdict": "promoted", "criteria": []},
}


@dataclass(frozen=True)
class Parts:
    model: RouterModel
    feature_map: FeatureMap
    encoder_folder: Path
    provenance: Provenance
    golden: list

    def write(self, folder: Path, seed: int = 0) -> Path:
        provenance = Provenance(candidates=self.provenance.candidates, seeds={"all": seed}, tasks=("sums", "songs"))
        router_id = write_bundle(
            folder, self.model, self.feature_map, self.encoder_folder, provenance, REPORT, self.golden
        )
        return folder / router_id


def _encoder(folder: Path) -> Path:
    folder.mkdir()
    vectors_VD = np.random.default_rng(0).normal(size=(len(WORDS), DIMENSIONS)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["weights"]),
            helper.make_node("Mul", ["tokens", "weights"], ["kept"]),
            helper.make_node("ReduceMean", ["kept"], ["mean"], axes=[1], keepdims=0),
            helper.make_node("LpNormalization", ["mean"], ["embedding"], axis=1, p=2),
        ],
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "l"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIMENSIONS])],
        [numpy_helper.from_array(vectors_VD, "table"), numpy_helper.from_array(np.array([2]), "last")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    (folder / "encoder.onnx").write_bytes(model.SerializeToString())
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _model(embedding_ND: np.ndarray, features: int) -> RouterModel:
    generator = np.random.default_rng(1)

    def draw(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    hidden, tasks, candidates = 5, 2, len(MODELS)
    return RouterModel(
        classifier=ClassifierWeights(
            hidden_FH=draw(features, hidden),
            hidden_bias_H=draw(hidden),
            task_HT=draw(hidden, tasks),
            task_bias_T=draw(tasks),
            temperature=np.array(1, np.float32),
            confidence_floor=np.array(0.6, np.float32),
        ),
        experts=ExpertWeights(
            trunk_FH=draw(features, hidden),
            trunk_bias_H=draw(hidden),
            general_HM=draw(hidden, candidates),
            general_bias_M=draw(candidates),
            task_TMH=draw(tasks, candidates, hidden),
            task_bias_TM=draw(tasks, candidates),
            head_TM=np.ones((tasks, candidates), np.bool_),
        ),
        clusters=ClusterTables(centre_RCF=draw(2, 3, features), quality_RCM=generator.random((2, 3, candidates))),
        calibration=identity(candidates),
        cost=CostHead(
            weights_FM=np.zeros((features, candidates), np.float32),
            bias_M=np.array([4.0, 5.0]),
            task_TM=np.zeros((tasks, candidates)),
            low_M=np.full(candidates, 1.0),
            high_M=np.full(candidates, 9.0),
            smear_M=np.ones(candidates),
            smear_TM=np.ones((tasks, candidates)),
            mean_cost_M=np.full(candidates, np.nan),
            mean_cost_TM=np.full((tasks, candidates), np.nan),
            input_usd_per_mtok_M=np.array([0.1, 1.0]),
            output_usd_per_mtok_M=np.array([0.4, 4.0]),
            source_M=np.full(candidates, int(CostSource.MEAN_TOKENS), np.int64),
        ),
        novelty=Novelty(centroid_CD=embedding_ND[:3].copy(), floor=np.array(-1, np.float32)),
        task_quality_TM=np.array([[0.9, 0.4], [0.3, 0.8]]),
        general_quality_M=np.array([0.6, 0.6]),
        alpha=np.array(0.5),
        soft=np.array(False),
        guard_margin=np.array(0.01),
        doubt_margin=np.array(0.0),
        fallback=np.array(0, np.int64),
    )


@pytest.fixture(scope="session")
def parts(tmp_path_factory):
    folder = _encoder(tmp_path_factory.mktemp("tiny") / "encoder")
    encoder = Encoder.load(folder, threads=1)
    tokens = encoder.tokenize(PROMPTS)
    embedding_ND = encoder.encode(PROMPTS)
    feature_map = fit_features(tokens, encoder.vocabulary, FeatureConfig(lexical_rank=3, seed=0))
    model = _model(embedding_ND, feature_map.transform(embedding_ND, tokens).shape[1])
    return Parts(
        model=model,
        feature_map=feature_map,
        encoder_folder=folder,
        provenance=Provenance(candidates=tuple(Candidate(model=name) for name in MODELS)),
        golden=Router.from_parts(model, feature_map, encoder, MODELS).golden(PROMPTS),
    )


@pytest.fixture(scope="session")
def bundle(parts, tmp_path_factory):
    """A bundle that no test may change."""
    return parts.write(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="session")
def second(parts, tmp_path_factory):
    """Another bundle that no test may change."""
    return parts.write(tmp_path_factory.mktemp("second"), seed=1)


@pytest.fixture(scope="session")
def prompts():
    return PROMPTS
