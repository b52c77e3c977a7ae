"""The packaged encoder, and a tiny router for what needs an encoder of some kind only."""

from tests.fixtures.minilm import encoder, encoder_folder
from tests.fixtures.tiny_router import parts

__all__ = ["encoder", "encoder_folder", "parts"]
