"""What a gateway sees of the package: its names, what importing it loads, and what the wheel holds."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pointsman

ROOT = Path(__file__).parents[2]
TRAINING = (
    "torch",
    "lightning",
    "sklearn",
    "scipy",
    "pandas",
    "prefect",
    "mlflow",
    "umap",
    "hdbscan",
    "components",
    "flows",
)


def loaded(code):
    """Names of the training side that a fresh interpreter has loaded after running some code."""
    tell = f"import sys; print(*[name for name in {TRAINING!r} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}; {tell}"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return ran.stdout.split()


def test_the_exported_names_are_these():
    assert pointsman.__all__ == [
        "Best",
        "Budget",
        "BundleError",
        "Decision",
        "InputError",
        "Policy",
        "QualityBar",
        "Router",
        "Routing",
        "Tolerance",
        "Tradeoff",
        "parse",
    ]
    assert all(hasattr(pointsman, name) for name in pointsman.__all__)
    assert (Path(pointsman.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize(
    "code",
    [
        "from pointsman import Router",
        "import pointsman.serving.app",
        "import pointsman.files",
    ],
)
def test_importing_it_loads_nothing_that_trains(code):
    assert loaded(code) == []


@pytest.mark.slow
def test_the_wheel_works_beside_a_gateways_own_components_and_flows(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT], check=True
    )
    (wheel,) = tmp_path.glob("pointsman-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        archive.extractall(tmp_path / "site")
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pointsman"}
    for name in ("components", "flows"):
        package = tmp_path / "gateway" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("OURS = True\n")
    code = (
        "import sys; sys.path[:0] = ['.', '../site']; import components, flows, pointsman; "
        "from pointsman.cli import main; "
        "assert components.OURS and flows.OURS and 'site' in pointsman.__file__; raise SystemExit(main(['retrain']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path / "gateway",
        env={"PATH": ""},
    )
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "extra 'train'" in ran.stderr
