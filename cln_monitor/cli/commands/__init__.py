"""The commands of ``clntool``: a family a module."""
