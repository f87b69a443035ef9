"""Run the fenced blocks of a page in order: YAML becomes the definition, Python and `$ rto …` run in this process.

What a `console` block shows below a command must stand in its output, in that order; `…` stands for what is left out,
and spaces and line ends do not matter. `$ echo $?` shows the exit status of the command before. Other commands are
passed over.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtoanalytics.cli.main import exit_status

if TYPE_CHECKING:
    import pytest

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = re.compile(r"^\$ ", re.MULTILINE)


@dataclass
class Walkthrough:
    """A walk through one page, in the current folder."""

    capsys: pytest.CaptureFixture[str]
    bundle: str
    """The folder whose drill.yaml the page's YAML is."""
    commands: list[str] = field(default_factory=list)
    """What was run."""
    _names: dict[str, Any] = field(default_factory=dict)
    _status: int = 0

    def follow(self, text: str) -> None:
        """Run every block of a text."""
        for language, body in FENCE.findall(text):
            match language:
                case "yaml":
                    path = Path(self.bundle) / "drill.yaml"
                    path.parent.mkdir(exist_ok=True)
                    path.write_text(body, "utf-8")
                case "python":
                    exec(compile(body, self.bundle, "exec"), self._names)  # noqa: S102  (the page's own example)
                case "console":
                    for step in PROMPT.split(body)[1:]:
                        self._run(*step.split("\n", 1))
                case _:
                    pass

    def _run(self, command: str, shown: str) -> None:
        if command == "echo $?":
            assert shown.strip() == str(self._status)
        elif command.startswith("rto "):
            self.commands.append(command)
            self.capsys.readouterr()
            self._status = exit_status([found for word in shlex.split(command)[1:] for found in _expanded(word)])
            assert not missing(shown, self.capsys.readouterr().out), command


def _expanded(word: str) -> list[str]:
    """What a shell makes of a word: the paths it stands for, else the word."""
    return sorted(str(path) for path in Path().glob(word)) if "*" in word and " " not in word else [word]


def missing(shown: str, output: str) -> list[str]:
    """Parts of what is shown, between the `…`, that do not follow each other in the output."""
    said = " ".join(output.split())
    found: list[str] = []
    for wanted in filter(None, (" ".join(part.split()) for part in shown.split("…"))):
        _, hit, after = said.partition(wanted)
        said, found = (after, found) if hit else (said, [*found, wanted])
    return found
