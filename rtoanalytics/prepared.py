"""What sealing leaves beside a bundle, so that its first analysis checks nothing twice and reads summaries."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from rtoanalytics.bundle.files import MANIFEST
from rtoanalytics.bundle.identity import FileIdentity, identity_of
from rtoanalytics.bundle.manifest import read_manifest
from rtoanalytics.bundle.opening import bundle_folder, read_bundle
from rtoanalytics.engines.duckdb import open_engine, run_queries
from rtoanalytics.engines.interruption import interruptible
from rtoanalytics.engines.limits import Limits, usual_memory
from rtoanalytics.engines.plan import SUMMARIES
from rtoanalytics.engines.summaries import is_worth_keeping
from rtoanalytics.errors import RtoError
from rtoanalytics.remembered import Inputs, remember_sealed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rtoanalytics.bundle.manifest import Manifest
    from rtoanalytics.engines.interruption import Interruption


@contextmanager
def prepared_if_sealed(root: Path, limits: Limits | None = None) -> Iterator[None]:
    """Prepare the analysis of a bundle that the block seals. One that it finds sealed, or refuses, is left alone.

    Nothing is raised of the preparing: what is not left is read by the analysis. Ctrl-C ends it, not the program.
    """
    before = _seal_identity(root)
    yield
    if _seal_identity(root) != before:
        with suppress(RtoError, OSError, duckdb.Error, pa.ArrowException, KeyboardInterrupt):
            manifest, _ = read_manifest(bundle_folder(root))
            if manifest:
                prepare_analysis(root, manifest, limits)


def prepare_analysis(root: Path, manifest: Manifest, limits: Limits | None = None) -> None:
    """Note that the evidence of a bundle that was just sealed is in order, and keep the summaries of it.

    What is noted of a file counts as long as it has the bytes that the manifest says. Raises whatever stops it.
    """
    root = bundle_folder(root)
    inputs = remember_sealed(root, manifest)
    interruptible(lambda interruption: _sum_up(root, inputs, limits or Limits(), interruption))


def _sum_up(root: Path, inputs: Inputs, limits: Limits, interruption: Interruption) -> None:
    bundle = read_bundle(root)
    summaries = inputs.summaries(root)
    if not summaries or not is_worth_keeping(bundle):
        return
    with open_engine(
        bundle,
        memory_limit=limits.memory_limit,
        usual_memory=usual_memory(bundle),
        scratch=limits.scratch,
        scratch_limit=limits.scratch_limit,
        check=lambda *_: [],
        attend=interruption.ends,
    ) as engine:
        engine.connection.execute("set enable_progress_bar = false")
        run_queries(engine, SUMMARIES, keep_long=False, lay=summaries.lay)


def _seal_identity(root: Path) -> FileIdentity | None:
    try:
        return identity_of(root / MANIFEST)
    except OSError:
        return None
