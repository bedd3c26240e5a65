import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from scbench.data import checksum as checksum_module
from scbench.data.checksum import Checksums, file_checksums, matches, split_checksum
from scbench.errors import ConfigError, DataError

CONTENT = b"counts\n" * 1000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SCBENCH_CACHE", str(folder))
    return folder


@pytest.fixture
def settled(tmp_path: Path) -> Path:
    """A file that was last changed long ago, so that its sums are remembered."""
    path = tmp_path / "data.h5"
    path.write_bytes(CONTENT)
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were really read."""
    seen: list[Path] = []
    real = checksum_module._hash

    def spy(path: Path, size_bytes: int) -> Checksums:
        seen.append(path)
        return real(path, size_bytes)

    monkeypatch.setattr(checksum_module, "_hash", spy)
    return seen


def only_entry(cache: Path) -> Path:
    (entry,) = (cache / "checksums").iterdir()
    return entry


def test_sums_of_a_known_text(tmp_path: Path) -> None:
    path = tmp_path / "hello"
    path.write_bytes(b"hello\n")
    sums = file_checksums(path)
    assert sums.git == "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object
    assert sums.md5 == "b1946ac92492d2347c6235b4d2611184"
    assert sums.sha256 == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert sums.size_bytes == 6


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_sums_agree_with_one_call_hashes_at_block_borders(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(content)
    assert file_checksums(path) == Checksums(
        hashlib.sha1(f"blob {size}\0".encode() + content).hexdigest(),
        hashlib.sha256(content).hexdigest(),
        hashlib.md5(content).hexdigest(),
        size,
    )


def test_git_sum_is_that_of_git(settled: Path) -> None:
    told = subprocess.run(["git", "hash-object", str(settled)], capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip("git is not installed")
    assert file_checksums(settled).git == told.stdout.strip()


def test_second_call_does_not_read_the_file(settled: Path, hashed: list[Path]) -> None:
    assert file_checksums(settled) == file_checksums(settled)
    assert hashed == [settled]


def test_link_shares_the_memory_of_its_target(settled: Path, hashed: list[Path]) -> None:
    link = settled.with_name("link.h5")
    link.symlink_to(settled)
    assert file_checksums(link) == file_checksums(settled)
    assert len(hashed) == 1


def test_changed_file_is_read_again(settled: Path) -> None:
    before = file_checksums(settled)
    settled.write_bytes(CONTENT.swapcase())
    os.utime(settled, (1.1e9, 1.1e9))
    assert file_checksums(settled).sha256 == hashlib.sha256(CONTENT.swapcase()).hexdigest() != before.sha256


def test_replaced_file_of_equal_size_and_time_is_read_again(settled: Path) -> None:
    file_checksums(settled)
    other = settled.with_name("other")
    other.write_bytes(CONTENT.swapcase())
    os.utime(other, (1e9, 1e9))
    other.replace(settled)
    assert file_checksums(settled).sha256 == hashlib.sha256(CONTENT.swapcase()).hexdigest()


def test_young_file_is_not_remembered(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "young"
    path.write_bytes(CONTENT)
    file_checksums(path)
    assert not cache.exists()


def test_memory_can_be_left_out(settled: Path, hashed: list[Path], cache: Path) -> None:
    file_checksums(settled, remember=False)
    assert not cache.exists()
    file_checksums(settled)
    file_checksums(settled, remember=False)
    assert len(hashed) == 3


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"key": 1}',
        "\x00\x01",
    ],
)
def test_damaged_memory_is_ignored_and_mended(settled: Path, cache: Path, hashed: list[Path], damage: str) -> None:
    right = file_checksums(settled)
    only_entry(cache).write_text(damage, "utf-8")
    assert file_checksums(settled) == right
    assert file_checksums(settled) == right
    assert len(hashed) == 2


@pytest.mark.parametrize("change", [{"git": "12"}, {"md5": None}, {"size_bytes": 1}, {"extra": 1}])
def test_memory_with_a_bad_value_is_ignored(settled: Path, cache: Path, change: dict[str, object]) -> None:
    right = file_checksums(settled)
    content = json.loads(only_entry(cache).read_text("utf-8"))
    content["checksums"] |= change
    only_entry(cache).write_text(json.dumps(content), "utf-8")
    assert file_checksums(settled) == right


def test_memory_without_a_sum_is_ignored(settled: Path, cache: Path) -> None:
    right = file_checksums(settled)
    content = json.loads(only_entry(cache).read_text("utf-8"))
    del content["checksums"]["sha256"]
    only_entry(cache).write_text(json.dumps(content), "utf-8")
    assert file_checksums(settled) == right


def test_cache_that_cannot_be_written_is_no_error(settled: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert file_checksums(settled).sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_full_cache_leaves_no_half_entry(settled: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checksum_module.os, "replace", full)
    file_checksums(settled)
    assert list((cache / "checksums").iterdir()) == []


def test_missing_file_raises_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        file_checksums(tmp_path / "none")


def test_file_changed_while_read_is_an_error(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = checksum_module._hash

    def slow(path: Path, size_bytes: int) -> Checksums:
        sums = real(path, size_bytes)
        path.write_bytes(b"new")
        return sums

    monkeypatch.setattr(checksum_module, "_hash", slow)
    with pytest.raises(DataError, match=r"data\.h5 changed while it was read; wait"):
        file_checksums(settled)


def test_matches_each_algorithm_and_either_case(settled: Path) -> None:
    sums = file_checksums(settled)
    for algorithm in ("git", "sha256", "md5"):
        digest = getattr(sums, algorithm)
        assert matches(sums, f"{algorithm}:{digest}")
        assert matches(sums, f"{algorithm}:{digest.upper()}")
        assert not matches(sums, f"{algorithm}:{'0' * len(digest)}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "git",
        "git:",
        "git:12",
        f"git:{'g' * 40}",
        f"sha1:{'0' * 40}",
        f"md5:{'0' * 33}",
        "0" * 40,
        f"md5:{'0' * 32}\n",
    ],
)
def test_malformed_checksum_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"malformed checksum .*write one of git:<40 hex digits>"):
        split_checksum(text)
    with pytest.raises(ConfigError, match="malformed checksum"):
        matches(Checksums("", "", "", 0), text)


def test_a_change_that_sets_the_modification_time_back_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"aaaa")
    os.utime(path, (1, 1))
    first = file_checksums(path)
    path.write_bytes(b"bbbb")
    os.utime(path, (1, 1))
    assert file_checksums(path).sha256 != first.sha256
