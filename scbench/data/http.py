"""Requests that are tried again, and network errors in one line."""

from __future__ import annotations

import json

import requests
import urllib3
from requests.adapters import HTTPAdapter

from scbench.errors import DataError

__all__ = ["PARTIAL", "PAST_THE_END", "network_reason", "open_url", "read_json", "retrying_session"]

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 60.0
REQUEST_RETRIES = 3  # of one request: connection errors and the answers below
REQUEST_BACKOFF_SECONDS = 0.5  # doubled each time

PARTIAL = 206
PAST_THE_END = 416
_OK = 200
_RETRIED_ANSWERS = (429, 500, 502, 503, 504)


def retrying_session() -> requests.Session:
    """Return a session that repeats a request after connection errors and passing refusals, with back-off."""
    retry = urllib3.Retry(
        total=REQUEST_RETRIES,
        backoff_factor=REQUEST_BACKOFF_SECONDS,
        status_forcelist=_RETRIED_ANSWERS,
        allowed_methods={"GET"},
        raise_on_status=False,
        respect_retry_after_header=False,  # hosts may ask for an hour
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def open_url(session: requests.Session, url: str, start: int, advice: str) -> requests.Response:
    """Return the open answer to a request for ``url`` from byte ``start`` on.

    Its status is 200, or with ``start`` above 0 also ``PARTIAL`` or ``PAST_THE_END``.

    Raises:
        DataError: if the address cannot be reached or refuses; the message ends with ``advice``.
    """
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    try:
        response = session.get(url, headers=headers, stream=True, timeout=timeout)
    except requests.RequestException as error:
        raise DataError(f"cannot reach {url} ({network_reason(error)}); check the network, {advice}") from error
    if response.status_code not in ((_OK, PARTIAL, PAST_THE_END) if start else (_OK,)):
        response.close()
        raise DataError(f"{url} answered {response.status_code} {response.reason}; check the address, {advice}")
    return response


def read_json(url: str) -> object:
    """Return the parsed JSON document at ``url``.

    Raises:
        DataError: if it cannot be reached, refuses or is not JSON.
    """
    with retrying_session() as session, open_url(session, url, 0, "or try again later") as response:
        try:
            return json.loads(response.content)
        except (requests.RequestException, ValueError) as error:
            reason = network_reason(error)
            raise DataError(f"{url} did not answer with JSON ({reason}); try again later") from error


def network_reason(error: Exception) -> str:
    """Return type and text of the innermost cause of ``error``, in one line."""
    cause = error
    while True:
        inner = [getattr(cause, "reason", None), *cause.args]
        nested = next((candidate for candidate in inner if isinstance(candidate, Exception)), None)
        if nested is None:
            break
        cause = nested
    text = " ".join(str(cause).split()).rpartition(": ")[2]
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
