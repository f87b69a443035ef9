"""How the web server is started: on loopback, without a request to anywhere, in our colors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rtoanalytics.charts.style import PALETTE

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACES = "RTO_APP_PLACES"
"""Environment variable with the folders to show, as a JSON list of absolute paths."""
_ENTRY = Path(__file__).with_name("streamlit_app.py")
_BACKGROUNDS = {"light": ("#ffffff", "#f6f7f9"), "dark": ("#10151c", "#1a212b")}


def arguments(address: str, port: int, *, is_browser_opened: bool) -> list[str]:
    """What follows the name of the Python interpreter to run the app."""
    options = {
        "server.address": address,
        "server.port": port,
        "server.headless": not is_browser_opened,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "browser.serverAddress": address,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "theme.baseRadius": "6px",
        **_theme("light"),
        **_theme("dark"),
    }
    written = [
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in options.items()
    ]
    return ["-m", "streamlit", "run", str(_ENTRY), *written]


def environment(places: Iterable[Path]) -> dict[str, str]:
    """What the app finds in its environment."""
    return {PLACES: json.dumps([str(place) for place in places])}


def places() -> tuple[Path, ...]:
    """The folders to show. Without the environment variable: the current folder."""
    return tuple(Path(place) for place in json.loads(os.environ.get(PLACES, '["."]')))


def _theme(name: str) -> dict[str, str]:
    place = 0 if name == "light" else 1
    paper, wash = _BACKGROUNDS[name]
    return {
        f"theme.{name}.primaryColor": PALETTE["accent"][place],
        f"theme.{name}.textColor": PALETTE["ink"][place],
        f"theme.{name}.linkColor": PALETTE["accent"][place],
        f"theme.{name}.borderColor": PALETTE["rule"][place],
        f"theme.{name}.backgroundColor": paper,
        f"theme.{name}.secondaryBackgroundColor": wash,
    }
