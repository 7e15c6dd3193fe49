"""The forms of a report in the HTTP API: whole, as a summary, or with some servers only."""

from .query import FormQuery, Limits, QueryError, parse_query
from .report_forms import ReportForms
from .summary import Encoded

__all__ = ["Encoded", "FormQuery", "Limits", "QueryError", "ReportForms", "parse_query"]
