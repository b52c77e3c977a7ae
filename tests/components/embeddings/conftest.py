"""The sentence encoder, exported once."""

from tests.fixtures.minilm import encoder, encoder_folder

__all__ = ["encoder", "encoder_folder"]
