"""Turning YAML into typed records, with errors that an operator can mend without reading code.

Every field's `description` says what is expected, and is quoted when the value is something else.
"""

from __future__ import annotations

from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from docrag_ops.core.errors import DefinitionError


class Record(BaseModel):
    """A frozen record; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


RecordType = TypeVar("RecordType", bound=Record)

_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str, *, where: str) -> Any:
    """Parse YAML; a syntax error names file, line and column."""
    try:
        return yaml.load(text, Loader=_SAFE_LOADER)  # noqa: S506 (a safe loader, in C where there is one)
    except yaml.YAMLError as error:
        raise DefinitionError(f"{where} is not valid YAML: {' '.join(str(error).split())}") from error


def load_yaml_documents(text: str, *, where: str) -> list[Any]:
    """All documents of a YAML (or JSON) text."""
    try:
        return list(yaml.load_all(text, Loader=_SAFE_LOADER))
    except yaml.YAMLError as error:
        raise DefinitionError(f"{where} is not valid YAML: {' '.join(str(error).split())}") from error


def parse_record(model: type[RecordType], data: Any, *, what: str, where: str) -> RecordType:
    """Make a record of parsed YAML.

    :raises DefinitionError: one line per mistake, naming key, record, file, value and what was expected.
    """
    if not isinstance(data, dict):
        raise DefinitionError(f"{what} in {where} is {data!r}; expected a mapping of keys to values")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_explain(model, mistake, what=what, where=where) for mistake in error.errors()]
        raise DefinitionError("\n".join(lines)) from error


def _explain(model: type[BaseModel], mistake: Any, *, what: str, where: str) -> str:
    location = [part for part in mistake["loc"] if part != "[key]"]
    key = ".".join(str(part) for part in location) or "(the record)"
    expected = _expected(model, location)
    if mistake["type"] == "extra_forbidden":
        known = ", ".join(sorted(_fields_at(model, location[:-1])))
        return f"Key {key!r} of {what} in {where} is not known; expected one of: {known}"
    if mistake["type"] == "missing":
        return f"Key {key!r} of {what} in {where} is missing; expected {expected}"
    if mistake["type"] == "value_error":
        return f"Key {key!r} of {what} in {where}: {mistake['ctx']['error']}"
    return f"Key {key!r} of {what} in {where} is {mistake['input']!r}; expected {expected or mistake['msg']}"


def _expected(model: type[BaseModel], location: list[Any]) -> str:
    """The description of the innermost described field on the way to the mistake."""
    text, current = "", model
    for part in location:
        field = current.model_fields.get(str(part)) if current else None
        if field is None:
            continue
        text = field.description or text
        current = _model_in(field.annotation) or current
    return text


def _fields_at(model: type[BaseModel], location: list[Any]) -> list[str]:
    current = model
    for part in location:
        field = current.model_fields.get(str(part))
        current = (_model_in(field.annotation) if field else None) or current
    return list(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The record type inside an annotation such as `dict[str, Workload] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found:
            return found
    return None
