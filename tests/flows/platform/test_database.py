"""Both products on one PostgreSQL database: the addresses, and a real server on loopback."""

import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from mlflow import MlflowClient
from sqlalchemy.engine import make_url

from components.tracking.registry import Registry
from flows.platform.database import SCHEMA, make_ready, mlflow_url, prefect_url
from flows.platform.settings import settings

PASSWORD = "pa:ss/w@rd%41"


def test_both_addresses_keep_every_part():
    given = f"postgresql://me:{quote(PASSWORD, safe='')}@db.example:6543/line?sslmode=require"
    for derived, driver in ((prefect_url(given), "postgresql+asyncpg"), (mlflow_url(given), "postgresql+psycopg2")):
        url = make_url(derived)
        assert (url.drivername, url.username, url.password) == (driver, "me", PASSWORD)
        assert (url.host, url.port, url.database) == ("db.example", 6543, "line")
    assert dict(make_url(prefect_url(given)).query) == {"ssl": "require"}
    assert dict(make_url(mlflow_url(given)).query) == {"sslmode": "require", "options": f"-csearch_path={SCHEMA}"}


@pytest.mark.parametrize("bad", ["mysql://me@db/line", "postgresql://me@db", "line", "sqlite:///line.db"])
def test_other_addresses_are_refused(bad):
    for use in (prefect_url, mlflow_url, make_ready):
        with pytest.raises(ValueError, match="POINTSMAN_DATABASE must be postgresql://"):
            use(bad)


def test_an_option_that_only_one_driver_knows_is_refused():
    with pytest.raises(ValueError, match="unknown option connect_timeout; known: host, sslmode"):
        prefect_url("postgresql://me@db/line?connect_timeout=3")


def test_settings_follow_the_one_variable(monkeypatch):
    monkeypatch.setenv("POINTSMAN_DATABASE", "postgresql://me@db/line")
    monkeypatch.delenv("POINTSMAN_MLFLOW_URI", raising=False)
    assert settings().tracking_uri == mlflow_url("postgresql://me@db/line")
    assert settings().mlflow_server["MLFLOW_BACKEND_STORE_URI"] == settings().tracking_uri
    monkeypatch.setenv("POINTSMAN_MLFLOW_URI", "http://mlflow:5000")
    assert settings().tracking_uri == "http://mlflow:5000"
    assert settings().mlflow_server["MLFLOW_BACKEND_STORE_URI"] == mlflow_url("postgresql://me@db/line")


def test_a_server_that_is_not_there_is_named_without_its_password(operations):
    pytest.importorskip("psycopg2", reason="skipped: the extra 'postgres' isn't installed")
    port = operations.free_port()
    with pytest.raises(ValueError, match=rf"POINTSMAN_DATABASE postgresql://127.0.0.1:{port}/line: ") as refused:
        make_ready(f"postgresql://me:secret@127.0.0.1:{port}/line")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "s3c/r@et",
        "12/r@et",
        "s3c?r@et",
        "s3c#ret",
        "s3c@ret",
        "s3c%ret",
        "s3c%zzret",
        "s3c[ret",
        "s3c]ret",
        "s3c\u2100ret",
    ],
)
@pytest.mark.parametrize("address", ["postgresql://u:{}@127.0.0.1:1/line", "postgresql://u:{}@127.0.0.1/line?host=/s"])
def test_a_password_that_is_not_encoded_is_refused_and_not_quoted(password, address):
    for use in (prefect_url, mlflow_url, make_ready):
        with pytest.raises(ValueError, match="percent-encoded") as refused:
            use(address.format(password))
        told = str(refused.value)
        assert told.startswith("POINTSMAN_DATABASE must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        assert not any(part in told for part in ("s3c", "ret", "r@et", "12"))


@pytest.mark.parametrize("port", ["port", "70000"])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ValueError, match="POINTSMAN_DATABASE must be postgresql://"):
        prefect_url(f"postgresql://me:secret@db:{port}/line")


def server_programs():
    """The folder of pg_ctl and its like; None: no server is installed."""
    found = shutil.which("pg_ctl") or max(map(str, Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")), default=None)
    # a link beside other programs stands for the folder that it leads to
    return None if found is None else Path(found).resolve().parent


@pytest.fixture(scope="module")
def postgres(operations):
    """The address of a fresh server on loopback, owned by an ordinary user."""
    pytest.importorskip("psycopg2", reason="skipped: the extra 'postgres' isn't installed")
    programs = server_programs()
    if programs is None:
        pytest.skip("skipped: no PostgreSQL server (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pointsman-postgres-"))
    # PostgreSQL refuses to run as root
    owner = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    if owner:
        shutil.chown(folder, "nobody", "nogroup")
    port, data = operations.free_port(), folder / "data"
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)

    def command(program, *arguments):
        with (folder / f"{program}.log").open("w") as log:
            subprocess.run(
                [str(programs / program), "-D", str(data), *arguments],
                check=True,
                cwd=folder,
                stdout=log,
                stderr=log,
                timeout=120,
                **owner,
            )

    command("initdb", "-U", "line", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    command("pg_ctl", "start", "-w", "-o", options)
    yield f"postgresql://line:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
    command("pg_ctl", "stop", "-m", "immediate")
    shutil.rmtree(folder)


def tables(url):
    import psycopg2

    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_schema, table_name FROM information_schema.tables")
        return set(cursor.fetchall())


@pytest.mark.slow
def test_both_dashboards_run_on_it_and_their_records_survive(postgres, tmp_path, operations):
    with ThreadPoolExecutor(4) as several:
        list(several.map(make_ready, [postgres] * 4))
    home, ports = tmp_path.resolve(), (operations.free_port(), operations.free_port())
    extra = {"POINTSMAN_DATABASE": postgres}
    with operations.dashboards(home, *ports, extra) as (api, mlflow):
        found = operations.until(lambda: "earlier" in (d := operations.deployments(api)) and d)
        flow_run, state = operations.finish(api, found["earlier"], {"parameters": {"to": None}})
        assert "no router was in service before" in state["message"]
        # straight to the tables and through the server: the same record
        registry = Registry(mlflow_url(postgres), home / "mlruns" / "artifacts")
        run = registry.start_run("by hand", params={"seed": 1})
        registry.log(run, metrics={"quality": 0.5})
        registry.finish(run)
        status, body = operations.answers(f"{mlflow}/api/2.0/mlflow/runs/get?run_id={run}")
        assert status == 200
        assert b'"quality"' in body
    assert not list(home.rglob("*.db")), "nothing fell back to SQLite"
    kept = tables(postgres)
    assert {
        ("public", "flow_run"),
        (SCHEMA, "runs"),
        ("public", "alembic_version"),
        (SCHEMA, "alembic_version"),
    } <= kept
    assert not kept & {("public", "runs"), (SCHEMA, "flow_run")}
    with operations.dashboards(home, *ports, extra) as (_, mlflow):
        assert operations.answers(flow_run)[0] == 200
        assert operations.answers(f"{mlflow}/api/2.0/mlflow/runs/get?run_id={run}")[0] == 200


@pytest.mark.slow
def test_a_dump_restored_is_read_like_the_original(postgres, tmp_path):
    make_ready(postgres)
    registry = Registry(mlflow_url(postgres), tmp_path)
    run = registry.start_run("kept")
    registry.finish(run)
    programs, dump = server_programs(), tmp_path / "pointsman.dump"
    copy = postgres.removesuffix("/postgres") + "/copy"
    # the README's commands
    for command in (
        ["pg_dump", "--format=custom", f"--file={dump}", postgres],
        ["psql", "--quiet", "--command=CREATE DATABASE copy", postgres],
        ["pg_restore", f"--dbname={copy}", str(dump)],
    ):
        subprocess.run([str(programs / command[0]), *command[1:]], check=True, timeout=300)
    assert tables(copy) == tables(postgres)
    assert Registry(mlflow_url(copy), tmp_path).experiment_id == registry.experiment_id
    found = MlflowClient(mlflow_url(copy), mlflow_url(copy)).get_run(run)
    assert (found.info.run_name, found.info.status) == ("kept", "FINISHED")
