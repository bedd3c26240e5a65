from __future__ import annotations

from pathlib import Path

import pytest

from scbench.data.at_hand import NOT_HERE, not_at_hand
from scbench.errors import ConfigError


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)


@pytest.mark.usefixtures("no_data")
def test_embedded_and_made_up_data_are_always_at_hand_and_others_not() -> None:
    assert not_at_hand(["pbmc68k_reduced", "simulated", "yan"]) == {"yan": NOT_HERE}


@pytest.mark.usefixtures("no_data")
def test_a_file_of_the_right_name_and_another_content_is_not_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "yan").mkdir()
    (tmp_path / "yan" / "yan.rda").write_bytes(b"something else")
    (tmp_path / "yan" / "yan.rds").write_bytes(b"something else")
    monkeypatch.setenv("SCBENCH_DATA", str(tmp_path))
    (reason,) = not_at_hand(["yan"]).values()
    assert "is not the file of dataset 'yan': expected" in reason


def test_real_files_are_found(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCBENCH_DATA_PATH", str(real_data))
    assert not_at_hand(["goolam", "shekhar"]) == {"shekhar": NOT_HERE}


def test_a_wrong_description_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "mine.yaml").write_text("name: mine\ncels: 3\n")
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    with pytest.raises(ConfigError, match="unknown key 'cels'"):
        not_at_hand(["mine"])
