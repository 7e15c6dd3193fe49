"""Writes the definitions into the checkout that this package runs from."""

import sys
from pathlib import Path

from . import FILES

plugins = Path(__file__).parents[3] / "plugins"
if not plugins.is_dir():
    sys.exit(f"{plugins} is not there: the definitions are written into a checkout of cln-monitor")
for name, make in FILES.items():
    file = plugins / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(make(), encoding="utf-8")
