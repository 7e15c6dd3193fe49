"""The route table."""

import pytest

from cln_monitor.simulator import CALLS, Account, Simulator

from .asking import ask


def test_every_call_of_the_document_is_there() -> None:
    """In its order, and each once."""
    assert [" ".join(call) for call in CALLS] == [
        "GET /status.json",
        "GET /status.plain",
        "GET /els/key/create.json",
        "GET /els/key/update.json",
        "GET /els/key/remove.json",
        "GET /els/key/list.json",
        "GET /els/srv/list.json",
        "GET /els/srv/remove.json",
        "GET /im/key/create.json",
        "GET /im/key/update.json",
        "GET /im/key/remove.json",
        "GET /im/key/list.json",
        "GET /im/srv/list.json",
        "GET /im/srv/remove.json",
        "GET /im/srv/convert.json",
        "GET /ipl/availability.json",
        "GET /ipl/check.json",
        "GET /ipl/register.json",
        "GET /ipl/convert.json",
        "GET /ipl/remove.json",
        "GET /ipl/list.json",
        "GET /ipl/server.json",
        "GET /ipl/update.json",
        "GET /kcare/key/create.json",
        "GET /kcare/key/delete.json",
        "GET /kcare/key/list.json",
        "GET /kcare/key/servers.json",
        "GET /kcare/key/set_cidr.json",
        "GET /kcare/srv/remove.json",
        "GET /kcare/nagios/register_key.plain",
        "GET /kcare/nagios/{key}",
        "GET /kcare/nagios-res/{login}/{token}",
        "POST /group/create.json",
        "GET /group/list.json",
        "GET /group/servers/list.json",
        "PUT /group/servers/put.json",
        "DELETE /group/servers/remove.json",
        "GET /cl/awp",
    ]


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing.json", "/status.json/", "/kcare/nagios/", "/kcare/nagios/a/b", "/kcare/nagios-res/a"]
)
def test_anything_else_is_a_page_of_404(simulator: Simulator, path: str) -> None:
    """HTML, as a web server has it."""
    reply = ask(simulator, path)
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html;charset=UTF-8")


@pytest.mark.parametrize("path", ["/status.json", "/kcare/nagios/K"])
def test_a_wrong_method_is_405_and_says_which_is_right(simulator: Simulator, path: str) -> None:
    """On plain routes and on those with names in them."""
    answer = simulator.answer("POST", path, {})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


def test_a_route_without_names_goes_first(simulator: Simulator, account: Account) -> None:
    """`register_key.plain` is no licence key."""
    assert account.kernelcare_ips
    assert ask(simulator, "/kcare/nagios/register_key.plain").text == "success:true\ncode:1"


def test_parts_of_a_path_are_decoded(simulator: Simulator) -> None:
    """Each by itself, so that an encoded slash stays inside its part."""
    assert ask(simulator, "/kcare/nagios/a%2Fb%20c").text == "Servers not found for key a/b c"
