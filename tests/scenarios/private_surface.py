"""The names that the code uses of other libraries although they are undocumented, in one table.

A release can move such a name without notice. So these libraries have an upper bound in pyproject.toml, and before a
bound is raised, the tests of this table report what has moved.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple


class Private(NamedTuple):
    """A name of ``owner``, a module or ``module:Class``, that a ``module`` of cln_monitor uses, and for what.

    ``parameters`` are those of the name that are passed by keyword.
    """

    library: str
    owner: str
    name: str
    module: str
    why: str
    parameters: tuple[str, ...] = ()

    def problem(self) -> str:
        """Return a sentence about what has moved; empty if nothing has."""
        module_name, _, class_name = self.owner.partition(":")
        shown = f"{class_name or module_name}.{self.name}"
        needs = f"which {self.module} {self.why}"
        try:
            owner = importlib.import_module(module_name)
            owner = getattr(owner, class_name) if class_name else owner
        except (ImportError, AttributeError):
            name = self.owner.replace(":", ".")
            return f"{_release(self.library)} no longer has {name}, of which {self.module} needs {self.name}"
        if not _has(owner, self.name):
            return f"{_release(self.library)} no longer has {shown}, {needs}"
        missing = [parameter for parameter in self.parameters if not _takes(getattr(owner, self.name), parameter)]
        if missing:
            return f"{_release(self.library)} no longer passes {', '.join(missing)} to {shown}, {needs}"
        return ""


def _release(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"Python {sys.version_info.major}.{sys.version_info.minor}"


def _has(owner: Any, name: str) -> bool:
    if hasattr(owner, name):
        return True
    if not inspect.isclass(owner):
        return False
    # An attribute of an instance alone is set in a method of the class, or of one it is derived from.
    classes = [class_ for class_ in owner.__mro__ if class_.__module__ != "builtins"]
    is_set = re.compile(rf"^\s+self\.{name}\b[^=\n]*=[^=]|^\s+{name}: ", re.MULTILINE)
    return any(is_set.search(inspect.getsource(class_)) for class_ in classes)


def _takes(function: Any, parameter: str) -> bool:
    parameters = inspect.signature(function).parameters
    return parameter in parameters or any(other.kind is other.VAR_KEYWORD for other in parameters.values())


# The library, its module and class, and our module: each name, with the parameters that are passed, and what for.
_TABLE = {
    ("uvicorn", "uvicorn.protocols.http.h11_impl:H11Protocol", "exporter/web/connections.py"): {
        "__init__(config, server_state, app_state)": "calls for each connection",
        "connection_made": "overrides to count connections",
        "connection_lost": "overrides to count connections",
        "data_received": "overrides to pass over empty lines before a request",
        "resume_writing": "overrides to see that a client reads",
        "client": "sets to the plain address of a client",
        "transport": "asks whether the connection is closing",
        "flow": "asks whether writing is paused",
        "cycle": "reads for the request that is under way",
        "conn": "reads for how far a request has come",
    },
    ("uvicorn", "uvicorn.protocols.http.h11_impl:RequestResponseCycle", "exporter/web/connections.py"): {
        "response_complete": "reads to see whether a request is answered",
    },
    ("uvicorn", "uvicorn.protocols.http.flow_control:FlowControl", "exporter/web/connections.py"): {
        "write_paused": "reads to see that a client does not read",
    },
    ("uvicorn", "uvicorn:Server", "exporter/web/connections.py"): {
        "startup(sockets)": "overrides to listen with its own connections",
        "main_loop": "overrides to wake less often and to end slow clients",
        "on_tick": "calls once a second",
        "shutdown(sockets)": "overrides to end idle connections first",
        "servers": "adds its servers to",
        "server_state": "passes to each connection",
        "config": "passes to each connection",
        "should_exit": "sets to stop",
    },
    ("uvicorn", "uvicorn:Server", "exporter/web/server.py"): {
        "capture_signals": "overrides to handle signals itself",
    },
    ("h11", "h11:SEND_BODY", "exporter/web/connections.py"): {
        "__name__": "compares the state of a client with",
    },
    ("h11", "h11:Connection", "exporter/web/connections.py"): {
        "their_state": "reads for how far a request has come",
        "trailing_data": "reads for the beginning of the next request",
    },
    ("asyncio", "asyncio.sslproto:SSLProtocol", "exporter/web/connections.py"): {
        "__init__(server_side, ssl_handshake_timeout)": "calls for each connection with TLS",
        "max_size": "lowers to a record of TLS",
        "connection_made": "overrides to count handshakes",
        "connection_lost": "overrides to count handshakes",
    },
    ("urllib3", "urllib3.connection:HTTPConnection", "cln/http/connections.py"): {
        "_new_conn": "overrides to connect within a deadline",
        "_dns_host": "looks up",
        "proxy_is_tunneling": "asks whether a proxy is asked first",
        "request": "overrides to know what went over it before",
        "response_class": "overrides to read responses strictly",
        "is_connected": "overrides to say whether the pool may use it again",
    },
    ("urllib3", "urllib3.connection:HTTPSConnection", "cln/http/connections.py"): {
        "_new_conn": "overrides to connect within a deadline",
        "connect": "overrides to know when the handshake is over",
        "is_verified": "sets to be warned once and not for each call",
    },
    ("urllib3", "urllib3.connectionpool:HTTPConnectionPool", "cln/http/connections.py"): {
        "ConnectionCls": "sets to its connections",
    },
    ("urllib3", "urllib3.connectionpool:HTTPSConnectionPool", "cln/http/connections.py"): {
        "ConnectionCls": "sets to its connections",
    },
    ("http", "http.client:HTTPResponse", "http_response.py"): {
        "begin": "overrides to read the head strictly",
        "_read_status": "overrides to skip interim responses, also of a proxy",
    },
    ("urllib3", "urllib3:PoolManager", "cln/http/pool.py"): {
        "pool_classes_by_scheme": "sets to its pools",
        "pools": "closes each of",
    },
    ("requests", "requests.adapters:HTTPAdapter", "cln/http/pool.py"): {
        "init_poolmanager": "overrides to share one TLS context",
        "proxy_manager_for": "overrides to share one TLS context",
        "close": "overrides to close connections at once",
        "proxy_headers": "overrides to send the login as UTF-8",
        "poolmanager": "asks through, without a requests.Session",
        "proxy_manager": "closes the pools of",
        "max_retries": "passes on, which is no retry",
        "__attrs__": "extends to copy an adapter without its connections",
    },
    ("requests", "requests.utils", "cln/http/pool.py"): {
        "urldefragauth": "calls to take the login out of a URL",
    },
    ("apscheduler", "apscheduler.triggers.base:BaseTrigger", "exporter/scheduler.py"): {
        "get_next_fire_time": "overrides to plan in constant time after a jump of the clock",
    },
    ("starlette", "starlette.responses:StreamingResponse", "exporter/web/responses.py"): {
        "__call__": "overrides to do without a task for each response",
        "stream_response": "calls to send a response",
    },
    ("starlette", "starlette.routing:Router", "exporter/web/app.py"): {
        "redirect_slashes": "sets to send no redirects",
    },
    ("structlog", "structlog.stdlib:ProcessorFormatter", "daemon/logs.py"): {
        "format": "overrides to redact finished lines",
    },
    ("prometheus-client", "prometheus_client.openmetrics.exposition", "exporter/self_metrics.py"): {
        "generate_latest": "calls for its own metrics",
        "CONTENT_TYPE_LATEST": "names as the type of a scrape",
    },
    ("prometheus-client", "prometheus_client.exposition", "exporter/self_metrics.py"): {
        "CONTENT_TYPE_PLAIN_0_0_4": "names as the type of a scrape",
    },
    ("typer", "typer.completion", "cli/completion.py"): {
        "completion_init": "calls to answer the scripts",
        "get_completion_script": "calls for the scripts",
    },
    ("typer", "typer.core:TyperGroup", "cli/completion.py"): {
        "main": "overrides to answer completion before anything else",
        "parse_args": "overrides to take the shell as a value",
    },
    ("typer", "typer:Typer", "cli/common_options.py"): {
        "command": "overrides to give each command the common options",
    },
    ("typer", "typer.core:TyperCommand", "cli/plain_help.py"): {
        "format_help": "overrides to import what it needs faster",
        "get_params": "overrides to hide the types of parameters",
        "collect_usage_pieces": "overrides to show required arguments without braces",
    },
    ("typer", "typer.core:TyperGroup", "cli/plain_help.py"): {
        "format_help": "overrides to import what it needs faster",
        "get_params": "overrides to hide the types of parameters",
    },
    ("typer", "typer.core:TyperArgument", "cli/plain_help.py"): {
        "display_type_rich": "replaces to show no type",
    },
    ("typer", "typer.core:TyperGroup", "cli/command_group.py"): {
        "commands": "adds commands to before their modules are imported",
        "resolve_command": "overrides to import the command that is used",
    },
    ("typer", "typer.core:TyperOption", "cli/conversion.py"): {
        "get_runtime_param": "replaces to import pydantic only for a value that it converts",
        "type_descriptor": "reads for the type of a value",
    },
    ("typer", "typer.core:TyperArgument", "cli/conversion.py"): {
        "get_runtime_param": "replaces to import pydantic only for a value that it converts",
        "type_descriptor": "reads for the type of a value",
    },
    ("typer", "typer.rich_utils", "cli/rich_help.py"): {
        "Markdown": "replaces by an empty class, as importing it is slow",
        "Traceback": "replaces by an empty class, as importing it is slow",
    },
    ("typer", "typer.exceptions", "cli/failure.py"): {
        "TyperException": "catches to report wrong usage",
    },
    ("typer", "typer.main", "cli/app.py"): {
        "get_command": "calls for the root of its commands",
    },
    ("typer", "typer.main", "cli/command_group.py"): {
        "get_command": "calls for a command that is used",
    },
    ("nagiosplugin", "nagiosplugin:Resource", "checks/result.py"): {
        "probe": "overrides to give figures",
    },
    ("nagiosplugin", "nagiosplugin:Context", "checks/result.py"): {
        "evaluate": "overrides to give a figure its state",
        "performance": "overrides to write perfdata",
    },
    ("nagiosplugin", "nagiosplugin:Check", "checks/result.py"): {
        "perfdata": "reads for the perfdata",
        "results": "reads for the states",
    },
}


def _rows() -> Iterator[Private]:
    for (library, owner, module), names in _TABLE.items():
        for written, why in names.items():
            name, _, parameters = written.partition("(")
            yield Private(library, owner, name, module, why, tuple(re.findall(r"\w+", parameters)))


PRIVATE = tuple(_rows())
"""All rows of the table."""
