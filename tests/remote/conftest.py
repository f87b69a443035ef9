"""A server on loopback that speaks S3, and bundles in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from pyarrow.fs import FileSelector, FileType, S3FileSystem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCESS_KEY, SECRET_KEY = "an-access-key", "a-secret-of-nobody"
REGION = "eu-central-1"


@dataclass(frozen=True)
class Bucket:
    """One bucket of the server, as another client than ours sees it."""

    name: str
    files: S3FileSystem

    def put(self, key: str, content: bytes) -> None:
        """Write one object."""
        with self.files.open_output_stream(f"{self.name}/{key}") as stream:
            stream.write(content)

    def put_as_named(self, key: str) -> None:
        """An empty object under a name that clients of good manners would not send."""
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(self.name, key, b"")

    def get(self, key: str) -> bytes:
        """Read one object."""
        with self.files.open_input_stream(f"{self.name}/{key}") as stream:
            content: bytes = stream.read()
        return content

    def put_bundle(self, root: Path, prefix: str) -> str:
        """Copy a bundle into the bucket; its address."""
        for path in sorted(root.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(root).as_posix()}", path.read_bytes())
        return f"s3://{self.name}/{prefix}"

    def keys(self, prefix: str) -> list[str]:
        """Names of the objects below a prefix, relative to it, sorted."""
        selector = FileSelector(f"{self.name}/{prefix}", recursive=True, allow_not_found=True)
        found = self.files.get_file_info(selector)
        return sorted(info.path.removeprefix(f"{self.name}/{prefix}/") for info in found if info.type == FileType.File)


@pytest.fixture(scope="session")
def _endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, and an environment that leads to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", _endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    files = S3FileSystem(
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        endpoint_override=_endpoint.removeprefix("http://"),
        scheme="http",
        region=REGION,
        allow_bucket_creation=True,
    )
    name = f"drills-{uuid4().hex[:8]}"
    files.create_dir(name)
    return Bucket(name, files)
