from tests.components.asking.conftest import open_gateway, path, world

__all__ = ["open_gateway", "path", "world"]
