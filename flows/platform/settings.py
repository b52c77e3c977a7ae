"""What the environment says: addresses, switches and secrets; the only reader of it, but for the home folder."""

import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flows.platform import paths
from flows.platform.database import make_ready, mlflow_url, prefect_url
from flows.platform.joining import running_servers
from flows.platform.password import client_variables, kept_password, server_variables
from flows.platform.together import ending_with_this
from pointsman.cli import CHECKOUT

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # seconds that a writer waits for another one before "database is locked"
    "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "600",
    # seconds; Prefect takes no less than 30, and sends none unless asked
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # its server tells each step of making its tables
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GX_ANALYTICS_ENABLED": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TQDM_DISABLE": "1",
    # of locks that a stopped run's processes leave: they are removed, which nobody need read of
    "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
    "TOKENIZERS_PARALLELISM": "true",
    # The networks are small: a second thread gains little, and threads that spin for each other lose much when busy.
    "OMP_NUM_THREADS": "1",
    # numba's OpenMP layer would raise OpenMP's number of threads for everything that comes after a UMAP.
    "NUMBA_THREADING_LAYER": "workqueue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Addresses of one installation; `paths` has its folders."""

    @property
    def publish_url(self) -> str | None:
        """POINTSMAN_PUBLISH_URL, an fsspec URL that is kept up to what is in service here; None: the folder alone."""
        return os.environ.get("POINTSMAN_PUBLISH_URL") or None

    @property
    def tracking_uri(self) -> str:
        """MLflow's address: POINTSMAN_MLFLOW_URI, or its tables in the database.

        Raises:
            ValueError: no kind of address that MLflow knows.
        """
        given = os.environ.get("POINTSMAN_MLFLOW_URI") or self.mlflow_store
        if not given.startswith(_MLFLOW):
            # it may hold a password
            raise ValueError(
                "POINTSMAN_MLFLOW_URI must be the address of an MLflow server, such as http://127.0.0.1:5000, or of "
                "its database, such as sqlite:////path/mlflow.db"
            )
        return given

    @property
    def database(self) -> str | None:
        """POINTSMAN_DATABASE, a PostgreSQL address; None: SQLite files inside the installation."""
        return os.environ.get("POINTSMAN_DATABASE") or None

    @property
    def mlflow_store(self) -> str:
        """Where an MLflow server of this installation keeps its tables."""
        if self.database is None:
            return f"sqlite:///{paths.mlruns() / 'mlflow.db'}"
        return mlflow_url(self.database)

    @property
    def dask(self) -> str | None:
        """POINTSMAN_DASK, a scheduler's address such as tcp://127.0.0.1:8786; None: everything runs on this machine."""
        return os.environ.get("POINTSMAN_DASK") or None

    @property
    def workers(self) -> int:
        """POINTSMAN_WORKERS, processes beside a run's own for stations that don't depend on each other; 0: none.

        By default one a processor, four at most, and none where there is one processor.
        """
        cores = os.cpu_count() or 1
        given = os.environ.get("POINTSMAN_WORKERS") or str(min(cores, 4) if cores > 1 else 0)
        if not given.isdecimal():
            raise ValueError(f"POINTSMAN_WORKERS must be a number of processes, 0 or more, got {given!r}")
        return int(given)

    @property
    def prefect_port(self) -> int:
        """Port of `make ui`'s Prefect server: POINTSMAN_PREFECT_PORT."""
        return _port("POINTSMAN_PREFECT_PORT", 4200)

    @property
    def mlflow_port(self) -> int:
        """Port of `make ui`'s MLflow server: POINTSMAN_MLFLOW_PORT."""
        return _port("POINTSMAN_MLFLOW_PORT", 5000)

    @property
    def mlflow_ui(self) -> str:
        """Where a person's browser finds MLflow: POINTSMAN_MLFLOW_UI, or the port of `make ui`."""
        return os.environ.get("POINTSMAN_MLFLOW_UI", f"http://127.0.0.1:{self.mlflow_port}")

    @property
    def dashboard_password(self) -> str | None:
        """POINTSMAN_DASHBOARD_PASSWORD, or the one that `make ui` keeps in data/secrets; None: there is none."""
        return os.environ.get("POINTSMAN_DASHBOARD_PASSWORD") or kept_password()

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """POINTSMAN_ALLOWED_HOSTS, what browsers and clients may call a dashboard: HOST:PORT, with commas between."""
        given = os.environ.get("POINTSMAN_ALLOWED_HOSTS", "")
        return tuple(host.strip() for host in given.split(",") if host.strip())

    @property
    def mlflow_server(self) -> dict[str, str]:
        """What `mlflow server` reads; on its command line, everybody on the machine could read a password."""
        return {
            "MLFLOW_BACKEND_STORE_URI": self.mlflow_store,
            "MLFLOW_ARTIFACTS_DESTINATION": str(paths.artifacts()),
            "MLFLOW_WORKERS": "1",
            # nothing here uses MLflow's jobs, and it starts faster without
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }

    @property
    def llm_url(self) -> str:
        """POINTSMAN_LLM_URL, base of an OpenAI-compatible API that describes prompts and names tasks; empty: off."""
        return os.environ.get("POINTSMAN_LLM_URL", "")

    @property
    def llm_model(self) -> str:
        """POINTSMAN_LLM_MODEL, the model that is asked there."""
        return os.environ.get("POINTSMAN_LLM_MODEL", "")

    @property
    def llm_key(self) -> str:
        """POINTSMAN_LLM_KEY, else OPENAI_API_KEY, sent to it as a bearer token; empty: none."""
        return os.environ.get("POINTSMAN_LLM_KEY") or os.environ.get("OPENAI_API_KEY", "")

    @property
    def llm_patience_s(self) -> float:
        """POINTSMAN_LLM_PATIENCE_S, seconds that an API may go on refusing for its rate limit before a run stops.

        Raises:
            ValueError: not a number of seconds >= 0.
        """
        given = os.environ.get("POINTSMAN_LLM_PATIENCE_S") or "180"
        try:
            seconds = float(given)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"POINTSMAN_LLM_PATIENCE_S must be seconds >= 0, got {given!r}")
        return seconds

    @property
    def webhook(self) -> str:
        """POINTSMAN_WEBHOOK_URL, called with how each retrain ended, in JSON; empty: none.

        Raises:
            ValueError: not an http or https address, or one that can't be called.
        """
        url = os.environ.get("POINTSMAN_WEBHOOK_URL", "")
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("POINTSMAN_WEBHOOK_URL must start with http:// or https://")
        if url and not _callable(url):
            raise ValueError("POINTSMAN_WEBHOOK_URL is no address that can be called")
        return url

    @property
    def terminal(self) -> bool:
        """Whether a person runs this as a command, so that Prefect's log isn't what they see."""
        return os.environ.get("PREFECT_LOGGING_HANDLERS_CONSOLE_CLASS") == TERMINAL

    @property
    def log_level(self) -> str:
        """Level of Prefect's runs, and of what components log in them."""
        return os.environ.get("PREFECT_LOGGING_LEVEL", "INFO").upper()


_MLFLOW = (
    *("http://", "https://", "sqlite:///", "file:", "databricks", "uc:"),
    *("postgresql://", "postgresql+", "mysql://", "mysql+", "mssql://", "mssql+"),
)
"""Beginnings of addresses that MLflow keeps runs and models at."""


def _callable(url: str) -> bool:
    """Whether an address has a host and a port that can be asked for."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        # of other scripts newer rules than this codec's decide
        return bool(host.encode("idna") if host.isascii() else host)
    except ValueError:
        return False


def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def _port(name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise ValueError(f"{name} must be a port, 1 to 65535, got {given!r}")
    return int(given)


TERMINAL = "flows.platform.terminal.TerminalHandler"
_OWN = (
    *("POINTSMAN_DATABASE", "POINTSMAN_MLFLOW_URI", "POINTSMAN_MLFLOW_UI", "POINTSMAN_PUBLISH_URL"),
    *("PREFECT_HOME", "PREFECT_LOCAL_STORAGE_PATH", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "NUMBA_CACHE_DIR"),
)
"""Variables that point into one installation, or to what it publishes."""


def ui_command() -> str:
    """What starts the dashboards of this installation, to be typed in the folder that this process was started in."""
    if paths.home().resolve() != Path.cwd():
        return f"pointsman ui --home {paths.home()}"
    return "make ui" if Path.cwd() == CHECKOUT else "pointsman ui"


def environment_of(home: Path) -> dict[str, str]:
    """This process's environment for a command in another installation, which publishes nowhere but there.

    Prefect's server stays the same, so that the command's run is on the same page. The command ends with this process.
    """
    kept = {n: v for n, v in os.environ.items() if n not in _OWN and not n.startswith("PREFECT__")}
    return kept | {"POINTSMAN_HOME": str(home.resolve()), **ending_with_this()}


def prepare_environment(*, log_level: str = "WARNING", home: Path | None = None, emergency: bool = False) -> None:
    """Keeps the heavy libraries quiet, offline and inside the installation; what the user has set stays as it is.

    Args:
        log_level: what of Prefect's runs is shown where the command was started: WARNING or INFO. Its server gets
            all from INFO.
        home: takes the place of POINTSMAN_HOME.
        emergency: the command must do its work though the dashboards' database and server are down: nothing is asked
            of the one, and the other isn't waited for.

    Must run before prefect or mlflow are imported, because both read the environment at import.

    Raises:
        ValueError: POINTSMAN_DATABASE, POINTSMAN_MLFLOW_URI or POINTSMAN_WEBHOOK_URL can't be used.
    """
    if home is not None:
        os.environ["POINTSMAN_HOME"] = str(home.resolve())
    here = settings()
    _ = here.webhook, here.tracking_uri
    inside: dict[str, str | Path] = {
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "pointsman,components,flows",
        # components also log where no flow runs
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_HOME": paths.prefect(),
        "PREFECT_LOCAL_STORAGE_PATH": paths.results(),
    }
    if not os.access(sysconfig.get_path("purelib"), os.W_OK):
        # else beside the libraries, where it serves every home
        inside["NUMBA_CACHE_DIR"] = paths.numba()
    if log_level != "INFO":
        inside["PREFECT_LOGGING_HANDLERS_CONSOLE_CLASS"] = TERMINAL
        if "PREFECT_API_URL" not in os.environ and (servers := running_servers()):
            inside |= {**servers, **client_variables(here.dashboard_password or kept_password())}
    if here.database is not None:
        inside["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = prefect_url(here.database)
        if not emergency:
            make_ready(here.database)
    if emergency:
        # by itself MLflow's client waits for minutes
        inside["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    # the small server that a run starts where none is named asks for it as well
    inside |= {**client_variables(here.dashboard_password), **server_variables(here.dashboard_password)}
    for name, value in {**_QUIET, **inside}.items():
        os.environ.setdefault(name, str(value))
    paths.data().mkdir(parents=True, exist_ok=True)
    paths.mlruns().mkdir(parents=True, exist_ok=True)
