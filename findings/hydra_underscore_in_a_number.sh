#!/usr/bin/env bash
# An id of digits and underscores is a number to Hydra and to OmegaConf: the donor 1_2 is 12, in YAML and on the
# command line, and a sweep over 1_2 and 12 runs the same twice. 007 stays text; quoted, so does 1_2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --disable-pip-version-check -q hydra-core==1.3.8 omegaconf==2.3.1
cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

parser = OverridesParser.create()
seen = {text: parser.parse_override(f"donor={text}").value() for text in ("1_2", "[1_2,3_4]", "007", "P1_2", "'1_2'")}
sweep = parser.parse_override("donor=1_2,12").value().list
print(seen, sweep, OmegaConf.create("donor: 1_2"))
assert seen["1_2"] == 12 and seen["[1_2,3_4]"] == [12, 34]
assert str(seen["007"]) == "007" and seen["P1_2"] == "P1_2" and str(seen["'1_2'"]) == "1_2"
assert sweep == [12, 12]
assert OmegaConf.create("donor: 1_2").donor == 12
PY
