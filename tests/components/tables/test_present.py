"""What is missing is said before anything is read."""

import pytest

from components.sources.planted.world import PlantedConfig, write_world
from components.tables.present import require_tables
from pointsman.errors import InputError


def test_a_folder_without_tables_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        require_tables(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"is empty; .*pointsman import"):
        require_tables(tmp_path)
    write_world(tmp_path, PlantedConfig(prompts=20))
    require_tables(tmp_path)
    (tmp_path / "outcomes.parquet").unlink()
    with pytest.raises(InputError, match="'outcomes' is missing"):
        require_tables(tmp_path)
