"""The format of dates."""

import pytest

from cln_monitor.simulator.dates import Dates

from .asking import NOW


@pytest.mark.parametrize(
    ("style", "spelled"),
    [
        ("document", "2024-04-30T11:26-0400"),
        ("seconds", "2024-04-30T11:26:40-0400"),
        ("zulu", "2024-04-30T15:26Z"),
        ("colon", "2024-04-30T20:56+05:30"),
    ],
)
def test_every_style_has_the_same_time(style: str, spelled: str) -> None:
    """Each style shows the same time in its own offset; the document's has no seconds."""
    dates = Dates()
    dates.style = style
    assert dates.spell(NOW) == spelled


def test_the_default_is_the_documents() -> None:
    """By default, dates are those of the API document's sample, and missing ones are null."""
    dates = Dates()
    assert dates.spell(1398871560) == "2014-04-30T11:26-0400"
    assert dates.field("last_checkin", None) == {"last_checkin": None}


@pytest.mark.parametrize(("never", "field"), [("null", {"d": None}), ("missing", {}), ("empty", {"d": ""})])
def test_a_date_that_is_not_there(never: str, field: dict[str, str | None]) -> None:
    """A missing date is null, omitted, or an empty text; other dates are not affected."""
    dates = Dates()
    dates.never = never
    assert dates.field("d", None) == field
    assert dates.field("d", 0) == {"d": "1969-12-31T20:00-0400"}


def test_another_style_is_an_error_that_names_those_there_are() -> None:
    """An unknown style is an error, and the style is unchanged."""
    dates = Dates()
    with pytest.raises(ValueError, match=r"^dates.style = 'iso': must be one of document, seconds, zulu, colon$"):
        dates.style = "iso"
    with pytest.raises(ValueError, match=r"^dates.never = 'nil': must be one of null, missing, empty$"):
        dates.never = "nil"
    assert (dates.style, dates.never) == ("document", "null")
