"""HTTP as the API needs it: connections, time limits, rates, and errors in words; it knows no call of the API."""
