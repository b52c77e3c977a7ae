"""Runs, model versions and the champion in MLflow, always by explicit ids: no current run, no global tracking URI."""

import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import pointsman
from components.tracking.abandoned import OWNER
from components.tracking.owner import this_process
from components.tracking.patient import Patient, opening, waiting_uri
from components.tracking.reach import reaching
from components.tracking.run_figures import report_metrics
from components.tracking.versions import ROUTER_ID, Versions
from pointsman.bundle.reading import read_files

# read on import
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
with warnings.catch_warnings():
    # mlflow warns of its own type hints
    warnings.simplefilter("ignore")
    import mlflow
    import mlflow.pyfunc
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
    from mlflow.models import ModelSignature
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

REQUIREMENTS = ("numpy", "onnxruntime", "tokenizers", "safetensors", "pandas", "mlflow")
"""Given explicitly: inferring them imports the model in a fresh process, and slowly."""
EXAMPLE = "What is the derivative of x squared?"

PARENT = "mlflow.parentRunId"
LARGEST_BATCH = 1000
"""Metrics that one request may carry."""
LONGEST_PARAM = 6000
"""Characters of a parameter that MLflow keeps."""


KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Without it MLflow's pages show the experiment as one of prompts and agents, and hide the list of runs."""


class Registry(Versions):
    """One experiment and one registered model of the same name."""

    def __init__(self, tracking_uri: str, artifact_root: Path, experiment: str = "pointsman") -> None:
        """Opens the experiment, creating it and its database if need be.

        Args:
            tracking_uri: such as sqlite:///mlruns/mlflow.db.
            artifact_root: folder of a new experiment's artifacts; an existing one keeps its own.
            experiment: name of the experiment and the model.

        Raises:
            Unreachable: a server's or a database's address can't be used.
        """
        self._uri = waiting_uri(tracking_uri)
        # MLflow tells each step of making its tables, and asks for type hints: nothing that a person can act on
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        with reaching(self._uri), opening(self._uri):
            client = Patient(mlflow.MlflowClient(tracking_uri=self._uri, registry_uri=self._uri))
            super().__init__(client, experiment)
            found = client.get_experiment_by_name(experiment)
            self.experiment_id: str = (
                client.create_experiment(experiment, artifact_root.resolve().as_uri(), tags=KIND)
                if found is None
                else found.experiment_id
            )

    def start_run(
        self,
        name: str,
        parent: str | None = None,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Starts a run, under a parent run if given, and returns its id; a tag names this process as its maker."""
        own = {OWNER: str(this_process()), **(tags or {})}
        if parent is not None:
            own[PARENT] = parent
        run = self._client.create_run(self.experiment_id, run_name=name, tags=own)
        run_id = str(run.info.run_id)
        self.log(run_id, params=params)
        return run_id

    def log(
        self,
        run_id: str,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        step: int = 0,
    ) -> None:
        """Logs all at once: a metric at a time costs about 20 ms."""
        stamp = int(time.time() * 1000)
        values = [Metric(name, float(value), stamp, step) for name, value in (metrics or {}).items()]
        for start in range(0, len(values), LARGEST_BATCH):
            self._client.log_batch(run_id, metrics=values[start : start + LARGEST_BATCH])
        settings = [Param(name, str(value)[:LONGEST_PARAM]) for name, value in (params or {}).items()]
        for start in range(0, len(settings), 100):
            self._client.log_batch(run_id, params=settings[start : start + 100])
        if tags:
            self._client.log_batch(run_id, tags=[RunTag(name, str(value)) for name, value in tags.items()])

    @contextmanager
    def run(
        self,
        name: str,
        parent: str | None = None,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Iterator[str]:
        """A run that is open while the block runs, and never after: FINISHED, or FAILED where it raises."""
        run_id = self.start_run(name, parent, params, tags)
        try:
            yield run_id
        except BaseException:
            self.finish(run_id, "FAILED")
            raise
        self.finish(run_id)

    def child(
        self,
        parent: str,
        name: str,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Makes a finished run under another and returns its id."""
        with self.run(name, parent, params, tags) as run_id:
            self.log(run_id, metrics=metrics)
        return run_id

    @contextmanager
    def monitored(self, run_id: str, every: float = 5.0) -> Iterator[None]:
        """Logs the machine's load as the run's system metrics while the block runs, each `every` seconds."""
        logging.getLogger("mlflow.system_metrics").setLevel(logging.WARNING)
        monitor = SystemMetricsMonitor(run_id, sampling_interval=every, tracking_uri=self._uri)
        monitor.start()
        try:
            yield
        finally:
            monitor.finish()

    def log_text(self, run_id: str, text: str, name: str) -> None:
        """Keeps a text as the run's artifact of this name."""
        self._client.log_text(run_id, text, name)

    def log_folder(self, run_id: str, folder: Path, artifact_path: str | None = None) -> None:
        """Keeps a folder's files as the run's artifacts."""
        self._client.log_artifacts(run_id, str(folder), artifact_path)

    def log_dataset(
        self, run_id: str, name: str, digest: str, source: str, rows: int, *, context: str = "train"
    ) -> None:
        """Records which data a run used, by digest; the data itself stays where it is."""
        data = Dataset(
            name=name,
            # MLflow keeps 36 characters of a digest; the whole one is in the profile
            digest=digest[:36],
            source_type="local",
            source=f'{{"uri": "{source}"}}',
            profile=f'{{"rows": {rows}, "sha256": "{digest}"}}',
        )
        self._client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", context)])])

    def rename(self, run_id: str, name: str) -> None:
        """Gives a run the name that lists show."""
        self._client.update_run(run_id, name=name)

    def unfinished(self) -> dict[str, dict[str, str]]:
        """Tags of every run of the experiment that is still open, by run id."""
        found = self._client.search_runs(
            [self.experiment_id], "attributes.status = 'RUNNING'", max_results=LARGEST_BATCH
        )
        return {str(run.info.run_id): dict(run.data.tags) for run in found}

    def finish(self, run_id: str, status: str = "FINISHED") -> None:
        """Ends a run: FINISHED, FAILED or KILLED."""
        self._client.set_terminated(run_id, status)

    def register(
        self,
        run_id: str,
        bundle_folder: Path,
        report: Mapping[str, Any],
        description: str,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Makes a bundle a model version with alias challenger and returns the version.

        The same router_id again returns its version, newly challenger, and stores no second one; the run has figures.

        Args:
            run_id: the run that made it.
            bundle_folder: a bundle, which is verified first.
            report: the evaluation; its methods' figures become metrics of the run.
            description: markdown.
            tags: of the version, beside router_id.

        Raises:
            BundleError: the bundle isn't whole.
        """
        manifest, _ = read_files(bundle_folder)
        self.log(run_id, metrics=report_metrics(report), tags={ROUTER_ID: manifest.router_id})
        self.ensure_model()
        version = self.find(manifest.router_id)
        if version is None:
            model = self._client.create_logged_model(self.experiment_id, name="router", source_run_id=run_id)
            with tempfile.TemporaryDirectory() as scratch:
                stored = Path(scratch) / "model"
                _save(stored, bundle_folder)
                self._client.log_model_artifacts(model.model_id, str(stored))
            self._client.finalize_logged_model(model.model_id, "READY")
            made = self._client.create_model_version(
                self.name,
                source=model.artifact_location,
                run_id=run_id,
                tags={**(tags or {}), ROUTER_ID: manifest.router_id},
                description=description,
                model_id=model.model_id,
            )
            version = str(made.version)
        self.challenge(version)
        return version


def _save(folder: Path, bundle_folder: Path) -> None:
    """Writes the pyfunc model, with nothing inferred and nothing fetched."""
    signature = ModelSignature(
        inputs=Schema([ColSpec(DataType.string, "prompt")]),
        outputs=Schema(
            [
                ColSpec(DataType.string, "candidate"),
                ColSpec(DataType.string, "task"),
                ColSpec(DataType.double, "predicted_quality"),
                ColSpec(DataType.double, "expected_cost_usd"),
                ColSpec(DataType.string, "reason"),
            ]
        ),
        params=ParamSchema([ParamSpec("policy", DataType.string, "operating")]),
    )
    with warnings.catch_warnings():
        # it asks for type hints, of which it would make a signature of its own
        warnings.simplefilter("ignore")
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(Path(__file__).with_name("pyfunc.py")),
            artifacts={"bundle": str(bundle_folder.resolve())},
            code_paths=[str(Path(pointsman.__file__).parent)],
            signature=signature,
            input_example={"prompt": [EXAMPLE]},
            pip_requirements=[f"{name}=={metadata.version(name)}" for name in REQUIREMENTS],
        )
