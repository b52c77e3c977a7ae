"""The folders of an installation, as code and people know them."""

import re
from pathlib import Path

from flows.platform import paths

README = Path(__file__).parents[3] / "data" / "README.md"


def test_the_readme_lists_every_folder_below_data_and_no_other(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    places = {getattr(paths, name)() for name in paths.__all__} - {paths.data()}
    below = {place.name for place in places if place.parent == paths.data()}
    assert set(re.findall(r"^\| `(\w+)/` \|", README.read_text(), flags=re.MULTILINE)) == below


def test_everything_is_inside_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    for name in paths.__all__:
        assert getattr(paths, name)().is_relative_to(tmp_path), name
