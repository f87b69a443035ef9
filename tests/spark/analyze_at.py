"""Answer some relations of a bundle on a Spark elsewhere, and compare them with DuckDB's: a process of its own.

A process has one Spark session, and the tests' own process has another one. Usage: BUNDLE MASTER-OR-REMOTE RELATION…
"""

from __future__ import annotations

import sys
from pathlib import Path

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines import duckdb, spark
from tests.spark.clusters import SMALL


def main(root: str, address: str, *wanted: str) -> None:
    """Say each relation and its rows; fail where the engines differ."""
    bundle = open_bundle(Path(root))
    is_remote = address.startswith("sc://")
    target = spark.Target(remote=address) if is_remote else spark.Target(master=address, conf=SMALL)
    assert not target.is_on_this_machine
    session = spark.open_session(target)
    with duckdb.open_engine(bundle) as plain, spark.open_engine(bundle, session, shares_disks=False) as elsewhere:
        duckdb.run_queries(plain, wanted)
        spark.run_queries(elsewhere, wanted, keep_long=False)
        for name in wanted:
            assert elsewhere.arrow(name).equals(plain.arrow(name)), name
            sys.stdout.write(f"{name} {elsewhere.arrow(name).num_rows}\n")
    session.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
