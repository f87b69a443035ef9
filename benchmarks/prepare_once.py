"""`python -m benchmarks.prepare_once BUNDLE`: leave beside a sealed bundle what `rto seal` leaves.

Sealed bundles of benchmarks are written as sealing writes them, without it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from rtoanalytics.bundle.manifest import read_manifest
from rtoanalytics.prepared import prepare_analysis


def prepare_once(bundle: Path) -> dict[str, float]:
    """Seconds that it took. Raises ValueError where the bundle is not sealed."""
    started = time.perf_counter()
    manifest, _ = read_manifest(bundle)
    if manifest is None:
        msg = f"{bundle} is not sealed"
        raise ValueError(msg)
    prepare_analysis(bundle, manifest)
    return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    print(json.dumps(prepare_once(Path(sys.argv[1]))))
