from tests.components.asking.conftest import open_gateway, world

__all__ = ["open_gateway", "world"]
