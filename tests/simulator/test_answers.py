"""The formats of responses."""

from cln_monitor.simulator import answers


def test_an_envelope_is_the_documents() -> None:
    """The keys of an envelope are in the order of the API document's samples."""
    answer = answers.envelope([1])
    assert answer.body == b'{"message": null, "type": null, "success": true, "data": [1]}'
    assert (answer.status, answer.content_type) == (200, "application/json;charset=UTF-8")


def test_a_refusal_says_why() -> None:
    """A refusal has `success` false, its message, and null data."""
    answer = answers.refusal("no", 401)
    assert answer.body == b'{"message": "no", "type": null, "success": false, "data": null}'
    assert answer.status == 401


def test_text_is_utf_8_and_a_lone_surrogate_escaped() -> None:
    """Text is UTF-8; a lone surrogate is escaped as in JSON."""
    assert answers.bare("Köln").body == '"Köln"'.encode()
    assert answers.bare("K\udc00").body == b'"K\\udc00"'


def test_plain_answers_have_a_line_each() -> None:
    """A plain response has a line per field, lowercase booleans, and lists as JSON."""
    assert (
        answers.plain([("a", True), ("b", 3), ("c", "x"), ("d", [1])]).body == b"success:true\na:true\nb:3\nc:x\nd:[1]"
    )
    assert answers.plain_refusal("no", 500).body == b"success:false\nmessage:no"


def test_a_page_is_html_with_a_pipe_in_it() -> None:
    """A page is HTML with a `|` in its title, even for an unknown status."""
    page = answers.page(404)
    assert (page.status, page.content_type) == (404, "text/html;charset=UTF-8")
    assert b"<title>404 Not Found | CloudLinux Network</title>" in page.body
    assert b"599 Unknown" in answers.page(599).body
