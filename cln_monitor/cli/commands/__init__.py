"""The commands of ``clntool``, one module per command group."""
