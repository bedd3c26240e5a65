"""``report.html``: one file that opens offline; its policy forbids every request and every script but its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from scbench.escape import html_text, page_data

__all__ = ["SCRIPTS", "page", "pictures"]

SCRIPTS = ("dom.js", "tables.js", "plots.js", "dialog.js", "sections.js", "markers.js", "main.js")  # in this order
_LETTERS = 4_700_000  # of the page: figures get what the data leave
_PICTURES = 2_500_000  # letters of figures at most
_KINDS = ("heat_map", "critical_difference", "cost", "spread")  # in this order where there is not room for all


def page(content: Mapping[str, Any], figures: Sequence[Path]) -> str:
    """Return the page.

    Args:
        content: the document of :func:`scbench.report.html.document.document`.
        figures: files; see :func:`pictures` for those that come into the page.
    """
    folder = files("scbench.report.html") / "page"
    parts = {name: (folder / name).read_text(encoding="utf-8") for name in ("template.html", "page.css", *SCRIPTS)}
    script = '"use strict";\n(() => {\n' + "".join(parts[name] for name in SCRIPTS) + "})();\n"
    style = parts["page.css"]
    policy = (
        f"default-src 'none'; img-src data:; script-src 'sha256-{_digest(script)}'; "
        f"style-src 'sha256-{_digest(style)}'; base-uri 'none'; form-action 'none'"
    )
    room = min(_LETTERS - len(page_data(content)), _PICTURES)
    shown, left_out = pictures(figures, room)
    filled = parts["template.html"]
    for name, text in (
        ("POLICY", html_text(policy).replace("&#x27;", "'")),
        ("TITLE", html_text(content["title"])),
        ("STYLE", style),
        ("SCRIPT", script),
        # Last: the data hold users' text, in which no name is filled in.
        ("DATA", page_data({**content, "figures": shown, "figures_left_out": left_out})),
    ):
        before, _, after = filled.partition(f"@@{name}@@")
        filled = before + text + after
    return filled


def pictures(paths: Sequence[Path], room: int) -> tuple[list[dict[str, str]], list[str]]:
    """Return the SVG files of whole measures as data addresses, in their order, and the names of those without room.

    An image is shown without running anything that might be in it, and its ids cannot meet those of another.

    Args:
        paths: figures of any kind; those of single runs and PNG files are left out.
        room: letters of all addresses together; kinds of figures are served in the order of ``_KINDS``.
    """
    of_kinds = [[path for path in paths if path.suffix == ".svg" and path.name.startswith(kind)] for kind in _KINDS]
    shown: dict[Path, str] = {}
    left_out = []
    for path in (path for of_kind in of_kinds for path in of_kind):
        address = f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
        if len(address) <= room:
            room -= len(address)
            shown[path] = address
        else:
            left_out.append(_title(path))
    return [{"name": _title(path), "address": shown[path]} for path in paths if path in shown], left_out


def _title(path: Path) -> str:
    """Return what a figure is called."""
    return path.stem.replace("_", " ")


def _digest(text: str) -> str:
    """Return the sha256 of a script or a style as policies write it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
