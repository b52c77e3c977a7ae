"""One PostgreSQL database for both dashboards: Prefect's tables in its public schema, MLflow's in one of their own.

Both products keep a table called alembic_version, so they can't share a schema; one database is one thing to back up.
"""

import re
from contextlib import closing
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

SCHEMA = "mlflow"
_OPTIONS = {"sslmode", "host"}
_FORM = (
    "POINTSMAN_DATABASE must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with / ? # @ % [ ] in the password "
    "percent-encoded"
)


def prefect_url(url: str) -> str:
    """The database as Prefect's server wants it, through asyncpg.

    Raises:
        ValueError: not the address of a PostgreSQL database, or an option that the two drivers don't share.

    >>> prefect_url("postgresql://me:secret@db/line?sslmode=require")
    'postgresql+asyncpg://me:secret@db/line?ssl=require'
    """
    parts, options = _split(url)
    # asyncpg has its own name for libpq's sslmode
    renamed = {"ssl" if name == "sslmode" else name: value for name, value in options.items()}
    return parts._replace(scheme="postgresql+asyncpg", query=urlencode(renamed)).geturl()


def mlflow_url(url: str) -> str:
    """The database as MLflow wants it, through psycopg2 and with its own schema first.

    Raises:
        ValueError: as `prefect_url`.

    >>> mlflow_url("postgresql://me:secret@db/line")
    'postgresql+psycopg2://me:secret@db/line?options=-csearch_path%3Dmlflow'
    """
    parts, options = _split(url)
    options["options"] = f"-csearch_path={SCHEMA}"
    return parts._replace(scheme="postgresql+psycopg2", query=urlencode(options)).geturl()


def make_ready(url: str) -> None:
    """Creates MLflow's schema where it isn't there yet; the tables are made by the two products.

    Raises:
        ValueError: the address is wrong, nothing answers there, or the driver isn't installed.
    """
    parts, _ = _split(url)
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
    try:
        import psycopg2  # noqa: PLC0415  # only who uses PostgreSQL has it
    except ImportError as error:
        raise ValueError("POINTSMAN_DATABASE needs psycopg2: pip install 'pointsman[postgres]'") from error
    try:
        address = parts._replace(scheme="postgresql").geturl()
        with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
            # two processes that find no schema would both create it, and one would fail
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('pointsman'))")
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    except psycopg2.Error as error:
        raise ValueError(f"POINTSMAN_DATABASE {shown}: {str(error).strip()}") from error


def _split(url: str) -> tuple[SplitResult, dict[str, str]]:
    # whatever is wrong, the address isn't quoted: a password that isn't encoded may stand in any part of it
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(_FORM) from None
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValueError(_FORM)
    torn = parts.fragment or "#" in url or "@" in parts.path + parts.query or parts.netloc.count("@") > 1
    if torn or re.search("%(?![0-9A-Fa-f]{2})", url):
        raise ValueError(_FORM)
    options = dict(parse_qsl(parts.query))
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"POINTSMAN_DATABASE: unknown option {', '.join(sorted(unknown))}; known: host, sslmode")
    return parts, options
