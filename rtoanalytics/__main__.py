"""`python -m rtoanalytics` is `rto`."""

from __future__ import annotations

import sys
from typing import NoReturn

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run `rto`, whose parts take a moment to load: Ctrl-C in that moment is no defect either."""
    try:
        from rtoanalytics.cli.main import run  # noqa: PLC0415  (what takes the moment)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
