"""docs/collectors.md: its YAML is a definition, its Python runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rtoanalytics.drill import parse_drill

PAGE = Path(__file__).resolve().parents[2] / "docs" / "collectors.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BASE = """\
schema_version: 1
id: documented
flow:
  name: payments
  topics: [{name: payments}]
  downstreams: [{name: payments-db}, {name: enriched}, {name: archive}]
objectives: {rto_seconds: 1}
"""
CLUSTERS = (
    'clusters: {primary: {bootstrap_servers: "127.0.0.1:9092"}, recovery: {bootstrap_servers: "127.0.0.1:9192"}}\n'
)


def examples(language: str) -> list[str]:
    """The examples of the page in one language."""
    return [body for found, body in FENCE.findall(PAGE.read_text(encoding="utf-8")) if found == language]


@pytest.mark.parametrize("example", [body for body in examples("yaml") if body.startswith(("clusters:", "collect:"))])
def test_yaml_of_the_page_is_a_definition(example: str) -> None:
    """Each part of a drill.yaml on the page is accepted as it stands."""
    clusters = "" if example.startswith("clusters:") else CLUSTERS
    parse_drill((BASE + clusters + example).encode())


def test_python_of_the_page_runs(tmp_path: Path) -> None:
    """The capture of one downstream captures it."""
    (tmp_path / "my-drill").mkdir()
    (tmp_path / "my-drill" / "drill.yaml").write_text(BASE)
    (tmp_path / "out").mkdir()
    lines = [json.dumps({"at": "2026-11-20T10:00:00Z", "id": f"pay-{number}"}) for number in range(3)]
    (tmp_path / "out" / "a.jsonl").write_text("\n".join(lines) + "\n")
    [example] = examples("python")
    answer = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "3"
