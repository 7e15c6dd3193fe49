"""The route table."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cln_monitor.simulator import CALLS, Account, Simulator
from tests.simulator.asking import NOW, ask, snapshot, token
from tests.simulator.writes import WRITES, populate_account

VALUES = sorted({value for query in WRITES.values() for value in query.values()})


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing.json", "/status.json/", "/kcare/nagios/", "/kcare/nagios/a/b", "/kcare/nagios-res/a"]
)
def test_anything_else_is_a_page_of_404(simulator: Simulator, path: str) -> None:
    """Unknown paths have an HTML page with status 404."""
    reply = ask(simulator, path)
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html;charset=UTF-8")


@pytest.mark.parametrize(("right", "path"), CALLS)
def test_a_wrong_method_is_405_and_says_which_is_right(
    simulator: Simulator, account: Account, right: str, path: str
) -> None:
    """A wrong method has status 405 with the right one, and changes nothing."""
    populate_account(account)
    before = snapshot(account)
    query = {**WRITES.get((right, path), {}), "token": token(account)}
    allowed = [method for method, known in CALLS if known == path]
    assert right in allowed
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"} - {*allowed}:
        answer = simulator.answer(method, path, query)
        assert (answer.status, answer.headers["Allow"]) == (405, ", ".join(allowed))
    assert snapshot(account) == before


def test_a_literal_route_takes_precedence(simulator: Simulator, account: Account) -> None:
    """The literal route `register_key.plain` takes precedence over a key."""
    assert account.kernelcare_ips
    assert ask(simulator, "/kcare/nagios/register_key.plain").text == "success:true\ncode:1"


def test_parts_of_a_path_are_decoded(simulator: Simulator) -> None:
    """Each part of a path is decoded separately, so that an encoded slash stays in its part."""
    assert ask(simulator, "/kcare/nagios/a%2Fb%20c").text == "Servers not found for key a/b c"


@given(
    call=st.sampled_from(CALLS),
    query=st.dictionaries(
        st.sampled_from([*sorted({name for query in WRITES.values() for name in query}), "products", "yearMonth"]),
        st.one_of(st.sampled_from(VALUES), st.text(max_size=20), st.from_regex(r"[0-9a-f.:/,;% -]{1,20}")),
    ),
    part=st.text(min_size=1, max_size=10),
)
@settings(max_examples=400)
def test_any_query_has_a_response(call: tuple[str, str], query: dict[str, str], part: str) -> None:
    """Any query with a valid token has a response, and every refusal has a message."""
    simulator = Simulator(clock=lambda: NOW)
    account = simulator.add_account()
    populate_account(account)
    method, path = call
    for name in ("{key}", "{login}", "{token}"):
        path = path.replace(name, quote(part, safe=""))
    reply = ask(simulator, path, method=method, token=token(account), **query)
    if path.startswith("/v2/"):
        assert reply.status == 200 or isinstance(reply.json["message"], str)
        return
    assert reply.status == 200
    if path.endswith(".json"):
        assert (reply.json["success"] is True) or (isinstance(reply.json["message"], str) and not reply.json["data"])
