"""The packages for distributions: ``make packages`` writes them to ``dist``."""
