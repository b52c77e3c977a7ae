"""Brings MLflow's tables up to date after an upgrade: `python -m flows.platform.upgrade`.

MLflow's own `mlflow db upgrade URL` wants the address, and the password in it, on a command line that everybody on the
machine can read.
"""

from flows.platform.settings import prepare_environment, settings


def main() -> None:
    """Upgrades this installation's MLflow database; one that is up to date stays as it is."""
    prepare_environment()
    from mlflow.db import upgrade  # noqa: PLC0415

    upgrade.callback(settings().mlflow_store)  # what its command runs
    print("MLflow's tables are up to date")


if __name__ == "__main__":
    main()
