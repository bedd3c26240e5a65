"""Values written for Hydra's grammar and for OmegaConf after it, and read back."""

from __future__ import annotations

from itertools import product

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from scbench.config.literal import literal


def read_back(written: str) -> object:
    """Return what a configuration holds for a value of the command line."""
    value = OverridesParser.create().parse_override(f"key={written}").value()
    found = OmegaConf.create({"key": getattr(value, "text", value)}).key
    return OmegaConf.to_object(found) if OmegaConf.is_config(found) else found


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        -0.5,
        1e-05,
        "plain",
        "it's, a=b [x] {y}",
        "back\\slash",
        "end\\",
        "a\\'b",
        "",
        "${HOME}.csv",
        "a${b}.csv",
        "${",
        "$",
        "\\${x}",
        "C:\\\\${x}\\",
        "GSM1 (1).h5ad",
        "é 细胞",
        "1e3",
        "null",
        [1, "a"],
        [],
        {"k": [None, False]},
    ],
)
def test_a_value_survives_hydras_grammar_and_omegaconf(value: object) -> None:
    assert read_back(literal(value)) == value


def test_every_short_text_of_special_characters_survives() -> None:
    for text in ("".join(characters) for characters in product("\\$'{}", repeat=4)):
        assert read_back(literal(text)) == text


def test_what_hydra_writes_for_the_jobs_of_a_sweep_survives_too() -> None:
    for text in ("it's", '"', "\\'", "end\\", "${x}", "\\${x}'", "a,b"):
        override = OverridesParser.create().parse_override(f"key={literal(text)},{literal('other')}")
        first, second = override.sweep_string_iterator()
        assert (read_back(first), read_back(second)) == (text, "other")
