"""Any bytes as the answer of CLN: what is kept of earlier runs is read anew in each, and atheris looks for more."""
