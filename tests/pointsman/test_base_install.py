"""What a process needs to route with a static encoder: numpy, tokenizers and safetensors."""

import subprocess
import sys

from components.embeddings.distil import DistilConfig
from components.embeddings.static_folder import distil_folder, token_vectors
from components.release.writing import write_bundle
from pointsman.bundle.manifest import Candidate, Provenance
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from tests.fixtures.tiny_router import MODELS, PROMPTS, REPORT

BLOCKED = ("onnxruntime", "polars", "fsspec", "fastapi", "uvicorn", "prometheus_client", "torch", "sklearn", "scipy")


def test_a_router_with_a_static_encoder_loads_no_graph_and_no_frames(parts, tmp_path):
    sentence = Encoder.load(parts.encoder_folder, threads=1)
    teacher_ND = sentence.encode(PROMPTS)
    distil_folder(
        parts.encoder_folder,
        PROMPTS,
        teacher_ND,
        token_vectors(parts.encoder_folder),
        DistilConfig(),
        tmp_path / "static",
    )
    router = Router(parts.model, parts.feature_map, Encoder.load(tmp_path / "static"), MODELS)
    provenance = Provenance(candidates=tuple(Candidate(model=name) for name in MODELS))
    golden = router.golden(PROMPTS)
    router_id = write_bundle(tmp_path, parts.model, parts.feature_map, tmp_path / "static", provenance, REPORT, golden)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({BLOCKED!r}))\n"
        f"from pointsman import Router; print(Router.load({str(tmp_path / router_id)!r}).route({PROMPTS!r}).candidate)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(router.route(PROMPTS).candidate)


def test_a_router_with_a_graph_says_what_to_install(bundle):
    code = f"import sys; sys.modules['onnxruntime'] = None\nfrom pointsman import Router; Router.load({str(bundle)!r})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'pointsman[onnx]'" in ran.stderr.splitlines()[-1]
