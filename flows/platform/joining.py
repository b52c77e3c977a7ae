"""Commands join the dashboards that run in the same installation: their runs, events and automations are there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from components.tracking.owner import parse_owner, this_process
from flows.platform import paths
from pointsman.durable import write_whole

_FILE = "dashboards.json"


@contextmanager
def announced(prefect_api: str, mlflow_ui: str) -> Iterator[None]:
    """Says for as long as the block runs where this installation's servers are; never the password."""
    path = paths.prefect() / _FILE
    content = json.dumps({"prefect": prefect_api, "mlflow": mlflow_ui, "owner": str(this_process())})
    write_whole(path, lambda aside: aside.write_text(content, encoding="utf-8"))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_servers() -> dict[str, str]:
    """Environment variables of the servers of a `pointsman ui` in this installation; empty: none runs here."""
    try:
        kept = json.loads((paths.prefect() / _FILE).read_text(encoding="utf-8"))
        owner, servers = parse_owner(kept["owner"]), (str(kept["prefect"]), str(kept["mlflow"]))
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if owner is None or owner.alive is not True:
        return {}
    return {"PREFECT_API_URL": servers[0], "POINTSMAN_MLFLOW_UI": servers[1]}
