import pytest

from components.tables.schema import SCHEMAS, TableSchema


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_keys_are_columns_that_must_be_there(schema: TableSchema) -> None:
    columns = {column.name: column for column in schema.columns}
    assert len(columns) == len(schema.columns)
    for name in schema.key:
        assert columns[name].required
        assert not columns[name].nullable


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_what_may_be_absent_may_be_null(schema: TableSchema) -> None:
    assert all(column.nullable for column in schema.columns if not column.required)
