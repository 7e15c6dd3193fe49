"""``clntool``, the operator's tool: every call of the CLN API from the shell, and the simulator."""
