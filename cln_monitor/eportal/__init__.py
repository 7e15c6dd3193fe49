"""TuxCare's ePortal as a library, which only reads: its servers, with the patch that each of them has loaded."""

from .client import EportalClient
from .credentials import EportalCredentials
from .servers import EportalServer

__all__ = ["EportalClient", "EportalCredentials", "EportalServer"]
