"""Colours that stay apart for people with and without colour blindness.

Up to eight are those of Okabe and Ito. More are chosen one by one, each as far as can be from the nearest chosen one as
seen by normal, protanopic and deuteranopic eyes. With some 40 no choice is safe by colour alone: figures number their
types as well. Own code: the tested set has no package for it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

__all__ = ["NOBODY", "distances", "palette"]

NOBODY = "#bdbdbd"  # what belongs to no type
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
_STEPS = 12  # of each channel of the colours to choose from
_LIGHTNESS = (0.35, 0.88)  # of OKLab: neither near black nor lost on white
# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
_VISIONS = (
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
)
# Ottosson 2020, OKLab from linear RGB.
_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip


@lru_cache
def palette(n: int) -> tuple[str, ...]:
    """Return ``n`` different colours as ``#rrggbb``; the first ones are those of a smaller palette.

    Raises:
        ValueError: ``n`` is negative or larger than the colours to choose from.
    """
    if n < 0:
        raise ValueError(f"the number of colours must not be negative, got {n}")
    if n <= len(OKABE_ITO):
        return OKABE_ITO[:n]
    steps = np.linspace(0, 1, _STEPS)
    pool = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    lightness = _lab(pool)[0][:, 0]
    pool = pool[(lightness >= _LIGHTNESS[0]) & (lightness <= _LIGHTNESS[1])]
    if n > len(pool):
        raise ValueError(f"at most {len(pool)} colours can be told apart, got {n}; group the types")
    chosen = list(OKABE_ITO)
    seen = _lab(pool)
    nearest = np.min([_apart(seen, _lab(_rgb([colour]))) for colour in chosen], axis=0)
    while len(chosen) < n:
        best = int(nearest.argmax())
        chosen.append("#" + "".join(f"{round(255 * value):02x}" for value in pool[best]))
        nearest = np.minimum(nearest, _apart(seen, _lab(pool[[best]])))
    return tuple(chosen)


def distances(colours: tuple[str, ...]) -> np.ndarray:
    """Return the distance of each pair in OKLab (0 to about 1), the smallest over three kinds of vision, (n, n)."""
    seen = _lab(_rgb(colours))
    return np.asarray(np.min([np.linalg.norm(view[:, None] - view, axis=2) for view in seen], axis=0))


def _apart(seen: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Return the distance of every colour to one, the smallest over kinds of vision."""
    return np.asarray(np.linalg.norm(seen - one, axis=2).min(axis=0))


def _rgb(colours: tuple[str, ...] | list[str]) -> np.ndarray:
    """Return ``#rrggbb`` as (n, 3) in [0, 1]."""
    return np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])


def _lab(rgb: np.ndarray) -> np.ndarray:
    """Return OKLab as each kind of vision sees it, (3, n, 3)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    views = [np.cbrt(np.clip(linear @ vision.T, 0, 1) @ _TO_LMS.T) @ _TO_LAB.T for vision in _VISIONS]
    return np.stack(views)
