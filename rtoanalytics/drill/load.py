"""Read drill.yaml. Duplicate keys, unknown keys and impossible values are refused with their place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from rtoanalytics.drill.definition import Drill
from rtoanalytics.drill.secrets import SECRET_FIELDS, SecretError
from rtoanalytics.errors import DrillError, nearest

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

MAX_BYTES = 4_000_000
"""A definition is written by people; anything larger is not one (and YAML aliases can explode)."""


class _DefinitionLoader(yaml.SafeLoader):
    """YAML as people mean it: no key twice, no aliases, instants always with a zone."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            msg = f"line {mark.line + 1}: aliases (*name) are not allowed; write the value out"
            raise DrillError(msg)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                msg = f"line {line}: key {key!r} is a {type(key).__name__}; keys are text, put it in quotes"
                raise DrillError(msg)
            if key in seen:
                msg = f'line {line}: key "{key}" stands twice (first in line {seen[key]}); keep one'
                raise DrillError(msg)
            seen[key] = line
        return super().construct_mapping(node, deep)


def _instant(loader: _DefinitionLoader, node: yaml.ScalarNode) -> datetime:
    text = str(node.value)
    value: object
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = loader.construct_yaml_timestamp(node)
    if not isinstance(value, datetime) or value.tzinfo is None:
        msg = f"line {node.start_mark.line + 1}: instant {text} has no time zone; write 2026-11-20T10:40:00Z"
        raise DrillError(msg)
    return value.astimezone(UTC)


_DefinitionLoader.add_constructor("tag:yaml.org,2002:timestamp", _instant)


def load_drill(path: Path) -> Drill:
    """The drill that `path` (a drill.yaml) defines. Raises DrillError with every problem found."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        msg = f"{path}: no such file; a bundle is a folder with a drill.yaml (rto init writes a first one)"
        raise DrillError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); a bundle is a folder with a drill.yaml"
        raise DrillError(msg) from None
    try:
        return parse_drill(content)
    except DrillError as error:
        msg = "\n".join(f"{path.name}: {line}" for line in str(error).splitlines())
        raise DrillError(msg) from None


def parse_drill(content: bytes) -> Drill:
    """The drill that YAML text in UTF-8 defines. Raises DrillError with every problem found."""
    if len(content) > MAX_BYTES:
        msg = f"{len(content)} bytes; a drill definition is at most {MAX_BYTES} bytes"
        raise DrillError(msg)
    try:
        document = yaml.load(content.decode("utf-8"), Loader=_DefinitionLoader)  # noqa: S506  (a SafeLoader)
    except UnicodeDecodeError as error:
        msg = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        raise DrillError(msg) from None
    except yaml.YAMLError as error:
        raise DrillError(_yaml_message(error)) from None
    except (RecursionError, ValueError) as error:
        msg = f"not YAML that can be read ({type(error).__name__}: {error})"
        raise DrillError(msg) from None
    if not isinstance(document, dict):
        msg = (
            f"the file holds {_describe(document)}; a drill definition is a mapping that starts with schema_version: 1"
        )
        raise DrillError(msg)
    try:
        return Drill.model_validate(_tuples(document))
    except ValidationError as error:
        raise DrillError("\n".join(_problem(detail) for detail in error.errors())) from None


def drill_json_schema() -> dict[str, Any]:
    """The JSON Schema of drill.yaml."""
    schema = Drill.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "drill.yaml", **schema}


def _yaml_message(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)


def _describe(document: object) -> str:
    return "nothing" if document is None else f"a {type(document).__name__}"


def _tuples(value: object) -> object:
    """Lists become tuples: the frozen definition holds none, and strict validation asks for tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value


_TAGS = {"lag", "produce_errors", "applied", "under_replicated", "connectors", "event"}


def _problem(detail: Any) -> str:  # noqa: ANN401  (pydantic's ErrorDetails)
    """One pydantic error as: where, what was found, what is allowed."""
    place = [part for part in detail["loc"] if part not in _TAGS or not _is_tag(detail["loc"], part)]
    where = _path(place)
    if detail["type"] == "extra_forbidden":
        allowed = _keys_at(detail["loc"][:-1])
        key = str(detail["loc"][-1])
        return f"{where}: unknown key{nearest(key, allowed)}; allowed here: {', '.join(allowed)}"
    if detail["type"] == "missing":
        return f"{where}: is missing"
    message = str(detail["msg"]).removeprefix("Value error, ")
    found = detail.get("input")
    if isinstance(found, dict | BaseModel | tuple) or _may_be_secret(detail):
        return f"{where}: {message}" if where else message
    return f"{where}: found {found!r}: {message}"


def _may_be_secret(detail: Any) -> bool:  # noqa: ANN401  (pydantic's ErrorDetails)
    """Whether what was found may hold a secret, and so is not repeated in an error."""
    names = [part for part in detail["loc"] if isinstance(part, str)]
    is_connection = "settings" in names or (names[:1] == ["collect"] and names[-1] in SECRET_FIELDS)
    return is_connection or isinstance(detail.get("ctx", {}).get("error"), SecretError)


def _is_tag(location: tuple[Any, ...], part: object) -> bool:
    index = location.index(part)
    return index > 0 and isinstance(location[index - 1], int) and "conditions" in location[:index]


def _path(place: list[Any]) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def _keys_at(location: tuple[Any, ...]) -> list[str]:
    """The keys allowed at a place of the definition."""
    model: Any = Drill
    for part in location:
        model = _step_into(model, part)
        if model is None:
            return []
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _step_into(model: Any, part: object) -> Any:  # noqa: ANN401
    if isinstance(model, type) and issubclass(model, BaseModel):
        field = model.model_fields.get(str(part))
        return _inner(field.annotation) if field else model  # an index or a mapping's own key leads to the same model
    if isinstance(model, tuple):  # a union of condition classes, told apart by their kind
        return next((item for item in model if _kind_of(item) == part), model if isinstance(part, int) else None)
    return model


def _kind_of(model: Any) -> object:  # noqa: ANN401
    field = getattr(model, "model_fields", {}).get("kind")
    return get_args(field.annotation)[0] if field else None


def _inner(annotation: Any) -> Any:  # noqa: ANN401
    """The model (or tuple of models) inside Optional[…], tuple[…, ...], dict[str, …] and Annotated[…]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found: list[Any] = []
    for argument in get_args(annotation):
        inner = _inner(argument)
        found += list(inner) if isinstance(inner, tuple) else [inner] if inner is not None else []
    models = list(dict.fromkeys(found))
    return None if not models else models[0] if len(models) == 1 else tuple(models)
