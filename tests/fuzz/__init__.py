"""Fuzzing of decoders: each test run decodes the corpus of earlier runs again, and atheris extends it."""
