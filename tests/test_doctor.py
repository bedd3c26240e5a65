from __future__ import annotations

from pathlib import Path

import pytest

from scbench.doctor import main


def test_doctor_names_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    for word in ("python", "torch", "method leiden", "data folder", "cache folder", "cores at hand"):
        assert word in said


def test_doctor_sees_a_folder_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("scbench.doctor.os.access", lambda *_: False)
    assert main([]) == 1
    assert "NOT WRITABLE" in capsys.readouterr().out


def test_doctor_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["now"]) == 2
    assert "takes no arguments" in capsys.readouterr().err
