"""HTTP for the API: connections, deadlines, rate limits, and error texts; independent of the calls of the API."""
