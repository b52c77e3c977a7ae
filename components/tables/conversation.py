"""Which turns of conversations made a folder's prompts: conversation.json beside the tables, unless it is as usual."""

import json
from dataclasses import asdict
from pathlib import Path

from components.tables.errors import TableError
from pointsman.durable import write_whole
from pointsman.text.conversation import DEFAULT, ConversationConfig

FILE = "conversation.json"


def read_conversation(folder: Path) -> ConversationConfig:
    """The setting of a folder of tables; the usual one where it has none.

    Raises:
        TableError: the file holds no such setting.
    """
    path = folder / FILE
    if not path.is_file():
        return DEFAULT
    try:
        return ConversationConfig.from_document(json.loads(path.read_bytes()))
    except (ValueError, RecursionError) as error:
        raise TableError(f"{path}: {error}") from None


def write_conversation(folder: Path, setting: ConversationConfig) -> None:
    """Keeps the setting; the usual one needs no file."""
    path = folder / FILE
    if setting == DEFAULT:
        path.unlink(missing_ok=True)
        return
    content = json.dumps(asdict(setting)) + "\n"
    write_whole(path, lambda aside: aside.write_text(content, encoding="utf-8"))
