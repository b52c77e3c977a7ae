import pytest

from components.embeddings.export import export_minilm
from pointsman.text.encoder import Encoder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    export_minilm(folder, "int8")
    return folder


@pytest.fixture(scope="session")
def encoder(encoder_folder):
    return Encoder.load(encoder_folder)
