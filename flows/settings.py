"""Where things live and what each preset means: the only reader of the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TQDM_DISABLE": "1",
    "TOKENIZERS_PARALLELISM": "true",
    # The networks are small: a second thread gains little, and threads that spin for each other lose much when busy.
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Folders and addresses of one installation."""

    home: Path
    """The folder that holds data/ and mlruns/."""

    @property
    def data(self) -> Path:
        """Tables, embeddings, stage outputs and published routers."""
        return self.home / "data"

    @property
    def stages(self) -> Path:
        """Content-addressed outputs of the stations, and Prefect's record of them."""
        return self.data / "stages"

    @property
    def published(self) -> Path:
        """Published bundles, `current.json` and the history of verdicts."""
        return self.data / "published"

    @property
    def tracking_uri(self) -> str:
        """MLflow's address: POINTSMAN_MLFLOW_URI, or a SQLite file under mlruns/."""
        return os.environ.get("POINTSMAN_MLFLOW_URI", f"sqlite:///{self.home / 'mlruns' / 'mlflow.db'}")

    @property
    def mlflow_ui(self) -> str:
        """Where a person's browser finds MLflow: POINTSMAN_MLFLOW_UI, or the port of `make ui`."""
        return os.environ.get("POINTSMAN_MLFLOW_UI", "http://127.0.0.1:5000")

    @property
    def artifacts(self) -> Path:
        """Where MLflow keeps files."""
        return self.home / "mlruns" / "artifacts"


def settings() -> Settings:
    """The settings of this process: POINTSMAN_HOME, or the folder it was started in."""
    return Settings(home=Path(os.environ.get("POINTSMAN_HOME", ".")).resolve())


def prepare_environment(*, log_level: str = "WARNING") -> None:
    """Keeps the heavy libraries quiet, offline and inside the installation; what the user has set stays as it is.

    Args:
        log_level: of Prefect's runs; a terminal has the progress bar, a dashboard wants INFO.

    Must run before prefect or mlflow are imported, because both read the environment at import.
    """
    here = settings()
    inside = {
        "PREFECT_LOGGING_LEVEL": log_level,
        "PREFECT_HOME": here.data / "prefect",
        "PREFECT_LOCAL_STORAGE_PATH": here.stages / "results",
        "NUMBA_CACHE_DIR": here.data / "numba",
    }
    for name, value in {**_QUIET, **inside}.items():
        os.environ.setdefault(name, str(value))
    here.data.mkdir(parents=True, exist_ok=True)
    (here.home / "mlruns").mkdir(parents=True, exist_ok=True)
