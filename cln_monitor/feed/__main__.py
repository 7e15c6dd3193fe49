"""``python -m cln_monitor.feed`` is ``cln-feed``."""

from .main import run

if __name__ == "__main__":
    run()
