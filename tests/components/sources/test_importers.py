from pathlib import Path

import pytest

from components.sources.importers import IMPORTERS
from components.tables.store import TableError


@pytest.mark.parametrize("name", sorted(IMPORTERS))
def test_every_importer_names_a_missing_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"absent\.log: can't be read"):
        IMPORTERS[name](tmp_path / "absent.log")
