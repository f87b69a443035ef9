"""Names of metrics: what an exporter calls a thing, and what it is called in the evidence.

Exporters name the same fact differently, and jmx_exporter names it as its configuration says. A mapping is a YAML file
with one list, `metrics`; the first rule that fits a sample names it:

    metrics:
      - name: under_replicated_partitions                # what it is called in the evidence
        from: kafka_server_replicamanager_underreplicatedpartitions(_value)?     # regular expression, whole name
        where: {quantile: "0.99"}                        # optional: labels that must match (regular expressions, whole)
        labels: {group_id: consumergroup, topic: topic}  # optional: label in the evidence ← label of the exporter

With `labels`, only the labels named are kept; without, all of them, as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rtoanalytics.errors import UsageError, nearest

if TYPE_CHECKING:
    import collections.abc

    Labels = collections.abc.Mapping[str, str]

_KEYS = ("name", "from", "where", "labels")


@dataclass(frozen=True)
class Rule:
    """One line of a mapping."""

    name: str
    pattern: re.Pattern[str]
    where: tuple[tuple[str, re.Pattern[str]], ...]
    labels: tuple[tuple[str, str], ...] | None
    """Label in the evidence and of the exporter; None keeps all as they are."""

    def fits(self, name: str, labels: Labels) -> bool:
        """Whether a sample of this name and labels is meant."""
        return self.pattern.fullmatch(name) is not None and all(
            pattern.fullmatch(labels.get(label, "")) for label, pattern in self.where
        )

    def renamed(self, labels: Labels) -> dict[str, str]:
        """The labels of a sample that fits, as the evidence names them; those the sample does not have are left out."""
        if self.labels is None:
            return dict(labels)
        return {ours: labels[theirs] for ours, theirs in self.labels if theirs in labels}


@dataclass(frozen=True)
class Mapping:
    """The rules of one mapping file, first come, first served."""

    rules: tuple[Rule, ...]

    def named(self, name: str, labels: Labels) -> tuple[str, dict[str, str]] | None:
        """Name and labels in the evidence; None when no rule fits."""
        rule = next((rule for rule in self.rules if rule.fits(name, labels)), None)
        return (rule.name, rule.renamed(labels)) if rule else None


def shipped_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with rtoanalytics."""
    found = (entry.name for entry in _shipped().iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def load_mapping(name_or_path: str) -> Mapping:
    """A shipped mapping by its name, or a file by its path. Raises UsageError for what is neither, or no mapping."""
    if name_or_path in shipped_mappings():
        return parse_mapping((_shipped() / f"{name_or_path}.yaml").read_text("utf-8"), name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        known = shipped_mappings()
        hint = nearest(name_or_path, known)
        msg = f'"{name_or_path}" is no mapping{hint}; name one of {", ".join(known)}, or a file'
        raise UsageError(msg)
    try:
        return parse_mapping(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as a mapping: {type(error).__name__}"
        raise UsageError(msg) from None


def parse_mapping(text: str, where: str) -> Mapping:
    """The mapping in a YAML text. Raises UsageError that names `where`, the rule and what is wrong with it."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        msg = f"{where}{line}: this is no YAML; a mapping is a list of rules under the key metrics"
        raise UsageError(msg) from None
    if not isinstance(document, dict) or set(document) != {"metrics"} or not isinstance(document["metrics"], list):
        msg = f"{where}: a mapping has one key, metrics, with a list of rules"
        raise UsageError(msg)
    return Mapping(tuple(_rule(rule, f"{where}: metrics[{at}]") for at, rule in enumerate(document["metrics"])))


def _rule(rule: Any, where: str) -> Rule:  # noqa: ANN401  (YAML is anything until it was looked at)
    if not isinstance(rule, dict):
        msg = f"{where}: a rule has the keys {', '.join(_KEYS)}; found {type(rule).__name__}"
        raise UsageError(msg)
    unknown = [str(key) for key in rule if key not in _KEYS]
    if unknown:
        msg = f"{where}: found {unknown[0]}{nearest(unknown[0], _KEYS)}; a rule has the keys {', '.join(_KEYS)}"
        raise UsageError(msg)
    name, labels = _text(rule, "name", where), rule.get("labels")
    conditions = _texts(rule.get("where", {}), f"{where}.where")
    return Rule(
        name,
        _pattern(_text(rule, "from", where), f"{where}.from"),
        tuple((label, _pattern(text, f"{where}.where.{label}")) for label, text in conditions.items()),
        None if labels is None else tuple(_texts(labels, f"{where}.labels").items()),
    )


def _text(rule: dict[str, Any], key: str, where: str) -> str:
    value = rule.get(key)
    if not isinstance(value, str) or not value:
        msg = f"{where}: {key} must be a text; found {value!r}"
        raise UsageError(msg)
    return value


def _texts(found: Any, where: str) -> dict[str, str]:  # noqa: ANN401
    if not isinstance(found, dict) or not all(isinstance(text, str) for pair in found.items() for text in pair):
        msg = f"{where}: must be texts by label name, such as {{topic: topic}}; found {found!r}"
        raise UsageError(msg)
    return found


def _pattern(text: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        msg = f"{where}: found {text!r}, which is no regular expression: {error}"
        raise UsageError(msg) from None


def _shipped() -> Any:  # noqa: ANN401  (importlib's Traversable)
    return files("rtoanalytics_collectors.metrics") / "mappings"
