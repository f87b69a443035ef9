"""`rto collect` against a broker that asks for TLS and a password."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics_collectors.kafka import new_producer
from tests.lab.harness.broker import LISTENERS
from tests.lab.harness.kafka import LabCluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("lab")

PASSWORD = "right-one-for-drill"  # noqa: S105  (of a broker that lives as long as this test)
WRONG = "wrong-one-for-drill"
TOPIC = "payments"
DEFINITION = """\
schema_version: 1
id: secure
clusters:
  primary:
    bootstrap_servers: "{servers}"
    settings:
      security.protocol: SASL_SSL
      sasl.mechanism: PLAIN
      sasl.username: drill
      sasl.password: "${{PRIMARY_PASSWORD}}"
      ssl.ca.location: "{certificate}"
flow: {{name: payments, topics: [{{name: payments}}], groups: [{{id: payments-sink}}]}}
objectives: {{rto_seconds: 1}}
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself; its key lies beside it, and both in `both.pem`."""
    openssl = shutil.which("openssl")
    if openssl is None:
        if os.environ.get("RTO_TEST_ALL") == "1":
            pytest.fail("openssl is not installed")
        pytest.skip("openssl is not installed: no certificate for a broker with TLS")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "both.pem").write_text(key.read_text() + certificate.read_text())
    return certificate


@pytest.fixture(scope="module")
def secure(needs_kafka: None, certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCluster]:  # noqa: ARG001
    """One broker whose clients speak SASL_SSL."""
    protocols = {name: "SASL_SSL" if name == "CLIENT" else "PLAINTEXT" for name in LISTENERS}
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_drill="{PASSWORD}";'
    settings: dict[str, Any] = {
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "listener.name.client.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": login,
        "listener.name.client.ssl.keystore.type": "PEM",
        "listener.name.client.ssl.keystore.location": certificate.with_name("both.pem"),
    }
    with LabCluster("secure", tmp_path_factory.mktemp("secure") / "cluster", 1, settings=settings) as cluster:
        cluster.create_topic(TOPIC, partitions=2)
        yield cluster


def collect(bundle: Path, secure: LabCluster, certificate: Path, password: str) -> subprocess.CompletedProcess[str]:
    """`rto collect` for some seconds, with this password in the environment."""
    bundle.mkdir()
    text = DEFINITION.format(servers=secure.bootstrap_servers, certificate=certificate)
    (bundle / "drill.yaml").write_text(text)
    code = "from rtoanalytics.cli.main import run; run()"
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-c", code, "collect", str(bundle), "--for", "6", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": paths, "PRIMARY_PASSWORD": password},
    )


def holds(bundle: Path, secret: str) -> bool:
    """Whether any file of the bundle repeats a secret."""
    return any(secret.encode() in path.read_bytes() for path in bundle.rglob("*") if path.is_file())


def test_right_password_captures(secure: LabCluster, certificate: Path, tmp_path: Path) -> None:
    """Over TLS and SASL every collector of the cluster sees its target, and the password is nowhere."""
    producer = new_producer(
        {
            "bootstrap.servers": secure.bootstrap_servers,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "drill",
            "sasl.password": PASSWORD,
            "ssl.ca.location": str(certificate),
        }
    )
    producer.produce(TOPIC, value=b"x")
    assert producer.flush(20) == 0
    answer = collect(tmp_path / "drill", secure, certificate, PASSWORD)
    assert answer.returncode == 0, answer.stderr
    by_name = {collector["collector"]: collector for collector in json.loads(answer.stdout)["collectors"]}
    assert by_name["watermarks-primary"]["rows"] > 0
    assert by_name["partitions-primary"]["rows"] > 0
    assert by_name["cluster_info-primary"]["rows"] == 1
    assert not [name for name, collector in by_name.items() if collector["refusal"]]
    assert PASSWORD not in answer.stdout + answer.stderr
    assert not holds(tmp_path / "drill", PASSWORD)


def test_wrong_password_is_one_clear_message_without_it(secure: LabCluster, certificate: Path, tmp_path: Path) -> None:
    """Status 3 with the broker's reason for each collector; neither the message nor the bundle has the password."""
    answer = collect(tmp_path / "drill", secure, certificate, WRONG)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert "no collector could start" in answer.stderr
    assert 'cluster "primary" refused the connection' in answer.stderr
    assert "Authentication failed" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert WRONG not in answer.stderr
    assert not holds(tmp_path / "drill", WRONG)
