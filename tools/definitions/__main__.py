"""Write the definitions; see the package for the arguments."""

import sys
from pathlib import Path

from . import write

checkout = Path(__file__).parents[2]
try:
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else checkout / "plugins")
except OSError as error:
    sys.exit(f"cannot write the definitions: {error}")
