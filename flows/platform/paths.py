"""Where one installation keeps what; data/README.md says the same for people, and a test holds the two together.

Everything is below `home()`: POINTSMAN_HOME, or the folder that the process was started in.
"""

from pathlib import Path

from pointsman.home import home, published, spool

__all__ = [
    "artifacts",
    "bundles",
    "canary",
    "data",
    "demo",
    "drift",
    "embeddings",
    "frozen",
    "home",
    "language_model",
    "logs",
    "mlruns",
    "numba",
    "prefect",
    "publish_key",
    "published",
    "recent",
    "reports",
    "results",
    "secrets",
    "spool",
    "stages",
    "tasks",
    "verdicts",
]


def data() -> Path:
    """All of the folders below, except MLflow's."""
    return home() / "data"


def logs() -> Path:
    """The tables that deployments learn from unless told otherwise."""
    return data() / "logs"


def recent() -> Path:
    """The prompts that the drift deployment looks at unless told otherwise."""
    return data() / "recent"


def demo() -> Path:
    """An installation of its own, for routers of simulated logs."""
    return data() / "demo"


def stages() -> Path:
    """Content-addressed outputs of the stations: only a cache."""
    return data() / "stages"


def results() -> Path:
    """Prefect's record of which task gave which output."""
    return stages() / "results"


def embeddings() -> Path:
    """Vectors of prompts by digest: only a cache."""
    return data() / "embeddings"


def bundles() -> Path:
    """Every router that was trained here, promoted or not."""
    return data() / "bundles"


def canary() -> Path:
    """The routers that `serve --shadow` tries on a share of the traffic, in the form of a published root."""
    return data() / "canary"


def verdicts() -> Path:
    """What the gate said of each router, and what its word is bound to."""
    return data() / "verdicts"


def reports() -> Path:
    """Pages for people: a folder a router, a comparison, a study."""
    return data() / "reports"


def tasks() -> Path:
    """The task names and prompts of each router, for the retrain that follows it."""
    return data() / "tasks"


def drift() -> Path:
    """Each router's sample of training prompts, and the drift reports beside it."""
    return data() / "drift"


def frozen() -> Path:
    """The prompts that were ever in a test split."""
    return data() / "frozen"


def language_model() -> Path:
    """Answers of the language model that names tasks, by question."""
    return data() / "language_model"


def prefect() -> Path:
    """Prefect's database, profiles and the address of a running `make ui`."""
    return data() / "prefect"


def secrets() -> Path:
    """The dashboards' password and the key that signs routers: for the owner's eyes alone."""
    return data() / "secrets"


def publish_key() -> Path:
    """The key that signs routers, where `pointsman keygen` made one; the public one is beside it, with .pub."""
    return secrets() / "publish-key"


def numba() -> Path:
    """Machine code that UMAP compiles on its first run, where nobody may write beside the libraries: only a cache."""
    return data() / "numba"


def mlruns() -> Path:
    """MLflow's database and files."""
    return home() / "mlruns"


def artifacts() -> Path:
    """MLflow's files."""
    return mlruns() / "artifacts"
