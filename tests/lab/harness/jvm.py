"""How a class of the jars is run: small and quick to start, for a machine that has other things to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.harness.jars import LAB, java, kafka_jars

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEAP_MEGABYTES = 256


def java_command(
    main: str,
    *arguments: str,
    heap_megabytes: int = HEAP_MEGABYTES,
    more_jars: Iterable[Path] = (),
    options: Iterable[str] = (),
) -> list[str]:
    """The command that runs `main` of Kafka's jars, and of `more_jars`, with a heap of at most `heap_megabytes`."""
    jars = [*sorted(kafka_jars().glob("*.jar")), *more_jars]
    return [
        java(),
        f"-Xmx{heap_megabytes}m",
        "-Xms32m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dlog4j2.configurationFile={LAB / 'log4j2.properties'}",
        "-Djava.awt.headless=true",
        *options,
        "-cp",
        ":".join(str(jar) for jar in jars),
        main,
        *arguments,
    ]
