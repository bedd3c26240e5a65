import errno
import gzip
import hashlib
import io
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from scbench.data import download as download_module
from scbench.data import download_progress
from scbench.data import http as http_module
from scbench.data.checksum import file_checksums
from scbench.data.download import download
from scbench.data.http import read_json
from scbench.errors import ConfigError, DataError

BODY = bytes(range(256)) * 1200  # more than four chunks
SHA256 = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
GIT = "git:" + hashlib.sha1(b"blob %d\0" % len(BODY) + BODY).hexdigest()
WRONG = BODY[::-1]
CUT = 100_000

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with ``server.answers[path]`` and notes the range of each request."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        self.server.answers[self.path](self)

    def start(self, status: int = 200, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    @property
    def first_byte(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(asked[1]) if asked else 0

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.ranges: list[str | None] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""

    def url(self, answer: Answer, path: str = "/set.h5") -> str:
        self.answers[path] = answer
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Keep to temporary folders, do without proxies, and do not wait between attempts."""
    monkeypatch.setenv("SCBENCH_DATA", str(tmp_path / "store"))
    monkeypatch.setenv("SCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "*")
    monkeypatch.setattr(http_module, "REQUEST_BACKOFF_SECONDS", 0.0)
    monkeypatch.setattr(download_module, "BODY_BACKOFF_SECONDS", 0.0)
    caplog.set_level(logging.INFO, "scbench")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "store" / "toy" / "set.h5"


@pytest.fixture
def part(target: Path) -> Path:
    return target.with_name("set.h5.part")


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# --- answers


def whole(handler: Handler, body: bytes = BODY) -> None:
    """A server with ranges."""
    first = handler.first_byte
    if first and first >= len(body):
        handler.start(416, Content_Range=f"bytes */{len(body)}", Content_Length=0)
    elif first:
        span = f"bytes {first}-{len(body) - 1}/{len(body)}"
        handler.start(206, Content_Range=span, Content_Length=len(body) - first)
        handler.wfile.write(body[first:])
    else:
        handler.start(200, Content_Length=len(body))
        handler.wfile.write(body)


def without_ranges(handler: Handler) -> None:
    handler.start(200, Content_Length=len(BODY))
    handler.wfile.write(BODY)


def corrupt(handler: Handler) -> None:
    whole(handler, WRONG)


def cut_each_time(handler: Handler) -> None:
    """Close after CUT bytes more."""
    first = handler.first_byte
    span = f"bytes {first}-{len(BODY) - 1}/{len(BODY)}"
    handler.start(206 if first else 200, Content_Range=span, Content_Length=len(BODY) - first)
    handler.wfile.write(BODY[first : first + CUT])


def always_cut_there(handler: Handler) -> None:
    """Ignore ranges and close after CUT bytes."""
    handler.start(200, Content_Length=len(BODY))
    handler.wfile.write(BODY[:CUT])


def in_turn(*answers: Answer) -> Answer:
    """Give one answer after the other; the last one from then on."""
    left = list(answers)

    def answer(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


def refuse(status: int) -> Answer:
    return lambda handler: handler.start(status, Content_Length=0)


# --- a right file


@pytest.mark.parametrize("checksum", [SHA256, GIT, f"md5:{hashlib.md5(BODY).hexdigest()}"])
def test_right_file_is_stored(server: Server, target: Path, part: Path, checksum: str) -> None:
    sums = download(server.url(whole), target, checksum, size_bytes=len(BODY))
    assert target.read_bytes() == BODY
    assert sums == file_checksums(target)
    assert not part.exists()
    assert server.ranges == [None]


def test_stored_file_is_not_fetched_again(server: Server, target: Path) -> None:
    put(target, BODY)
    assert download(server.url(refuse(500)), target, SHA256) == file_checksums(target)
    assert server.ranges == []


def test_redirect_is_followed(server: Server, target: Path) -> None:
    there = server.url(whole, "/there")
    url = server.url(lambda handler: handler.start(302, Location=there, Content_Length=0))
    download(url, target, SHA256)
    assert target.read_bytes() == BODY


def test_body_without_a_length_is_stored(server: Server, target: Path) -> None:
    def answer(handler: Handler) -> None:
        handler.start(200)
        handler.wfile.write(BODY)

    download(server.url(answer), target, SHA256)
    assert target.read_bytes() == BODY


def test_body_that_the_server_compressed_is_unpacked(server: Server, target: Path) -> None:
    packed = gzip.compress(BODY)

    def answer(handler: Handler) -> None:
        handler.start(200, Content_Length=len(packed), Content_Encoding="gzip")
        handler.wfile.write(packed)

    download(server.url(answer), target, SHA256)
    assert target.read_bytes() == BODY


def test_empty_file_is_stored(server: Server, target: Path) -> None:
    download(server.url(lambda handler: whole(handler, b"")), target, f"md5:{hashlib.md5().hexdigest()}")
    assert target.read_bytes() == b""


def test_refusal_that_passes_is_tried_again(server: Server, target: Path) -> None:
    download(server.url(in_turn(refuse(503), refuse(502), whole)), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges == [None] * 3


# --- resuming


def test_part_is_resumed_with_a_range(server: Server, target: Path, part: Path) -> None:
    put(part, BODY[:CUT])
    download(server.url(whole), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges == [f"bytes={CUT}-"]


def test_truncated_body_is_resumed_where_it_broke_off(server: Server, target: Path) -> None:
    download(server.url(cut_each_time), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges == [None, *(f"bytes={n}-" for n in range(CUT, len(BODY), CUT))]


def test_truncated_body_of_untold_length_is_resumed_when_the_size_is_known(server: Server, target: Path) -> None:
    def cut(handler: Handler) -> None:
        handler.start(200)
        handler.wfile.write(BODY[:CUT])

    download(server.url(in_turn(cut, whole)), target, SHA256, size_bytes=len(BODY))
    assert target.read_bytes() == BODY
    assert server.ranges == [None, f"bytes={CUT}-"]


def test_truncated_body_of_untold_length_is_fetched_again_by_its_checksum(server: Server, target: Path) -> None:
    def cut(handler: Handler) -> None:
        handler.start(200)
        handler.wfile.write(BODY[:CUT])

    download(server.url(in_turn(cut, whole)), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges == [None, None]


def test_server_that_ignores_the_range_is_read_from_the_start(server: Server, target: Path, part: Path) -> None:
    put(part, BODY[:CUT])
    download(server.url(without_ranges), target, SHA256)
    assert target.read_bytes() == BODY


def test_other_range_than_asked_for_is_dropped(server: Server, target: Path, part: Path) -> None:
    def shifted(handler: Handler) -> None:
        handler.start(206, Content_Range=f"bytes 5-{len(BODY) - 1}/{len(BODY)}", Content_Length=len(BODY) - 5)
        handler.wfile.write(BODY[5:])

    put(part, BODY[:CUT])
    download(server.url(in_turn(shifted, whole)), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges == [f"bytes={CUT}-", None]


def test_complete_part_is_taken_as_it_is(server: Server, target: Path, part: Path) -> None:
    put(part, BODY)
    download(server.url(whole), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges == [f"bytes={len(BODY)}-"]


@pytest.mark.parametrize("stale", [WRONG[:CUT], WRONG, WRONG * 2], ids=["shorter", "equal", "longer"])
def test_stale_part_is_dropped(server: Server, target: Path, part: Path, stale: bytes) -> None:
    put(part, stale)
    download(server.url(whole), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges == [f"bytes={len(stale)}-", None]


def test_slow_server_is_given_up_and_resumed(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "READ_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(download_module, "CHUNK_BYTES", 1000)
    released = threading.Event()

    def stall(handler: Handler) -> None:
        handler.start(200, Content_Length=len(BODY))
        handler.wfile.write(BODY[:CUT])
        handler.wfile.flush()
        released.wait(20)

    try:
        download(server.url(in_turn(stall, whole)), target, SHA256)
    finally:
        released.set()
    assert target.read_bytes() == BODY
    assert server.ranges == [None, f"bytes={CUT}-"]


# --- failures


def test_wrong_file_is_removed_and_both_sums_are_named(server: Server, target: Path, part: Path) -> None:
    url = server.url(corrupt)
    found = "git:" + hashlib.sha1(b"blob %d\0" % len(WRONG) + WRONG).hexdigest()
    with pytest.raises(DataError) as raised:
        download(url, target, GIT)
    assert str(raised.value) == (
        f"{url} sent a wrong file, which was removed: expected {GIT}, found {found} ({len(WRONG)} bytes); "
        f"try again later, or put the file into {target.parent} by hand, under any name ({GIT})"
    )
    assert not target.exists()
    assert not part.exists()
    assert server.ranges == [None]


def test_wrong_file_of_untold_length_is_fetched_twice(server: Server, target: Path) -> None:
    def answer(handler: Handler) -> None:
        handler.start(200)
        handler.wfile.write(WRONG)

    with pytest.raises(DataError, match="sent a wrong file"):
        download(server.url(answer), target, SHA256)
    assert server.ranges == [None, None]


def test_file_that_is_wrong_in_ever_new_ways_is_given_up(server: Server, target: Path) -> None:
    def answer(handler: Handler) -> None:
        handler.start(200)
        handler.wfile.write(b"%d" % len(server.ranges))

    with pytest.raises(DataError, match="sent a wrong file"):
        download(server.url(answer), target, SHA256)
    assert len(server.ranges) == download_module.BODY_ATTEMPTS


@pytest.mark.parametrize("answer", [corrupt, refuse(404), refuse(503), always_cut_there])
def test_stored_file_survives_a_failed_download(server: Server, target: Path, answer: Answer) -> None:
    put(target, b"an older good file")
    with pytest.raises(DataError):
        download(server.url(answer), target, SHA256)
    assert target.read_bytes() == b"an older good file"


def test_body_always_truncated_is_an_error(server: Server, target: Path, part: Path) -> None:
    url = server.url(always_cut_there)
    with pytest.raises(DataError, match=rf"broke off after {CUT} bytes, 5 times in a row \(the server closed"):
        download(url, target, SHA256)
    assert not target.exists()
    assert part.read_bytes() == BODY[:CUT]


@pytest.mark.parametrize(("status", "reason"), [(404, "Not Found"), (403, "Forbidden")])
def test_refusal_is_an_error_at_once(server: Server, target: Path, status: int, reason: str) -> None:
    url = server.url(refuse(status))
    with pytest.raises(DataError, match=rf"set\.h5 answered {status} {reason}; check the address, or put"):
        download(url, target, SHA256)
    assert server.ranges == [None]


def test_lasting_503_is_an_error(server: Server, target: Path) -> None:
    with pytest.raises(DataError, match="answered 503 Service Unavailable"):
        download(server.url(refuse(503)), target, SHA256)
    assert len(server.ranges) == 1 + http_module.REQUEST_RETRIES


def test_unreachable_host_is_one_clear_error(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "REQUEST_RETRIES", 1)
    with Server() as closed:
        url = closed.url(whole)
    with pytest.raises(DataError) as raised:
        download(url, target, SHA256)
    message = str(raised.value)
    assert message.startswith(f"cannot reach {url} (NewConnectionError: ")
    assert message.endswith(
        f"check the network, or put the file into {target.parent} by hand, under any name ({SHA256})"
    )
    assert "\n" not in message


def test_server_that_never_answers_is_an_error(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "READ_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(http_module, "REQUEST_RETRIES", 1)
    released = threading.Event()
    try:
        with pytest.raises(DataError, match=r"cannot reach .*Read timed out"):
            download(server.url(lambda handler: released.wait(20) and None), target, SHA256)
    finally:
        released.set()


@pytest.mark.parametrize("url", ["file:///etc/hosts", "not an address", "ftp://example.org/x"])
def test_address_that_is_not_http_is_an_error(target: Path, url: str) -> None:
    with pytest.raises(DataError, match=f"cannot reach {url}"):
        download(url, target, SHA256)


def test_malformed_checksum_is_a_config_error(target: Path) -> None:
    with pytest.raises(ConfigError, match="malformed checksum"):
        download("http://127.0.0.1:9/", target, "crc:1")


def test_full_disk_is_an_error_and_keeps_the_part(
    server: Server, target: Path, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    class FullDisk(io.FileIO):
        def write(self, data: object) -> int:
            if self.tell() >= CUT:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr(Path, "open", lambda path, mode="r", **more: FullDisk(path, mode.rstrip("b")))
    with pytest.raises(DataError, match=r"no space left for .*set\.h5\.part after \d+ bytes; make room, or set"):
        download(server.url(whole), target, SHA256)
    assert part.stat().st_size >= CUT
    monkeypatch.setattr(Path, "open", real)
    download(server.url(whole), target, SHA256)
    assert target.read_bytes() == BODY
    assert server.ranges[1] is not None


def test_folder_that_cannot_be_made_is_an_error(server: Server, target: Path) -> None:
    put(target.parent, b"a file")
    with pytest.raises(DataError, match=r"cannot write .*: (File exists|Not a directory); make it writable"):
        download(server.url(whole), target, SHA256)


def test_interrupt_keeps_the_part(server: Server, target: Path, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: object, size: int) -> Iterator[bytes]:
        yield BODY[:CUT]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("requests.Response.iter_content", interrupt)
        with pytest.raises(KeyboardInterrupt):
            download(server.url(whole), target, SHA256)
    assert part.read_bytes() == BODY[:CUT]
    download(server.url(whole), target, SHA256)
    assert server.ranges == [None, f"bytes={CUT}-"]


# --- without a checksum


def test_any_content_is_taken_without_a_checksum(server: Server, target: Path, part: Path) -> None:
    put(part, b"left from something else")
    download(server.url(whole), target, None)
    assert target.read_bytes() == BODY
    assert server.ranges == [None]


def test_truncated_body_is_never_resumed_without_a_checksum(server: Server, target: Path) -> None:
    download(server.url(in_turn(cut_each_time, whole)), target, None)
    assert target.read_bytes() == BODY
    assert server.ranges == [None, None]


def test_web_page_is_refused_without_a_checksum(server: Server, target: Path) -> None:
    def page(handler: Handler) -> None:
        handler.start(200, Content_Type="text/html; charset=utf-8", Content_Length=6)
        handler.wfile.write(b"<html>")

    with pytest.raises(DataError, match=r"answered with a web page, not a file; put the file into .* by hand"):
        download(server.url(page), target, None)
    assert not target.exists()


# --- several at once


def test_two_at_once_fetch_once(server: Server, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(handler: Handler) -> None:
        begun.set()
        go_on.wait(20)
        whole(handler)

    url = server.url(slow)
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(download(url, target, SHA256))) for _ in "ab"]
    threads[0].start()
    assert begun.wait(20)
    threads[1].start()
    deadline = time.monotonic() + 20
    while "waiting for another process" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert results == [file_checksums(target)] * 2
    assert server.ranges == [None]
    assert "waiting for another process that fetches" in caplog.text


# --- progress


def test_progress_is_one_line_without_a_terminal(
    server: Server, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.url(whole)
    download(url, target, SHA256, size_bytes=len(BODY))
    assert [record.getMessage() for record in caplog.records] == [
        f"fetching {url} ({len(BODY)} bytes)",
        f"stored {target} ({len(BODY)} bytes)",
    ]


@pytest.mark.parametrize(("progress", "bar"), [(True, True), (False, False)])
def test_bar_is_drawn_on_a_terminal_only_when_asked(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, progress: bool, bar: bool
) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(download_progress, "Console", lambda stderr: terminal)
    download(server.url(whole), target, SHA256, progress=progress)
    assert ("set.h5" in screen.getvalue()) is bar


# --- JSON


def test_json_is_read(server: Server) -> None:
    body = b'{"files": []}'
    assert read_json(server.url(lambda handler: whole(handler, body))) == {"files": []}


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff"])
def test_answer_that_is_not_json_is_an_error(server: Server, body: bytes) -> None:
    with pytest.raises(DataError, match=r"set\.h5 did not answer with JSON \(.*\); try again later"):
        read_json(server.url(lambda handler: whole(handler, body)))


def test_json_that_is_not_there_is_an_error(server: Server) -> None:
    with pytest.raises(DataError, match="answered 404 Not Found; check the address, or try again later"):
        read_json(server.url(refuse(404)))
