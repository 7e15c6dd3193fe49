"""The revisions of the API document that the simulator can follow."""

OLDER, NEWER = REVISIONS = ("2024-03", "2024-10")
"""The month of each revision, the oldest first."""
