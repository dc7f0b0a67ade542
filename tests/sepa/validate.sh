#!/usr/bin/env bash
# The SEPA file that the tests made, against the schema of ISO 20022 (pain.001.001.03). The schema comes with a Python
# package, at a pinned version, into target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=target/sepa/venv
if [ ! -x "$venv/bin/pip" ]; then
  python3 -m venv "$venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check sepaxml==2.7.0 lxml==6.1.3
"$venv/bin/python" - target/sepa/payouts.xml <<'PYTHON'
import pathlib, sys
import sepaxml
from lxml import etree

schema = pathlib.Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.03.xsd"
etree.XMLSchema(etree.parse(schema)).assertValid(etree.parse(sys.argv[1]))
print(f"{sys.argv[1]} is valid by {schema.name}")
PYTHON
