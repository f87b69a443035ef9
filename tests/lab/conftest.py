"""The lab's real clusters as fixtures.

Every test of the lab has the mark xdist_group("lab"), so one worker runs them all and shares one cluster: two clusters
at once are more than two cores can carry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.databases import database, needs_postgres, postgres  # noqa: F401  (fixtures)
from tests.lab.harness.jars import MissingProgramError, kafka_jars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.harness.kafka import LabCluster

_HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def needs_kafka() -> None:
    """Java, Maven and Kafka's jars; a test that asks for them is skipped on a machine without."""
    try:
        kafka_jars()
    except MissingProgramError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def _shared_cluster(needs_kafka: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCluster]:  # noqa: ARG001  (asked for, not used)
    from tests.lab.harness.kafka import LabCluster  # noqa: PLC0415  (a machine without the client is skipped)

    with LabCluster("primary", tmp_path_factory.mktemp("primary")) as cluster:
        yield cluster


@pytest.fixture
def lab_cluster(_shared_cluster: LabCluster) -> LabCluster:
    """Three real brokers, all up and every replica in sync; use a topic and a group of your own."""
    _shared_cluster.repair()
    return _shared_cluster


@pytest.fixture
def proxied_lab_cluster(needs_kafka: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCluster]:  # noqa: ARG001
    """Three real brokers of its own that reach each other through proxies: one can be cut off from the others."""
    from tests.lab.harness.kafka import LabCluster  # noqa: PLC0415  (a machine without the client is skipped)

    with LabCluster("proxied", tmp_path_factory.mktemp("proxied"), has_proxied_peers=True) as cluster:
        yield cluster
