"""Shared by the tests of downloads and of what uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scbench.data import download as download_module
from scbench.data import http as http_module


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep to temporary folders, do without proxies, and do not wait between attempts."""
    for variable, name in (("SCBENCH_DATA", "store"), ("SCBENCH_CACHE", "cache"), ("SCBENCH_CONF", "conf")):
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "*")
    monkeypatch.setattr(http_module, "REQUEST_BACKOFF_SECONDS", 0.0)
    monkeypatch.setattr(download_module, "BODY_BACKOFF_SECONDS", 0.0)
    return tmp_path / "store"
