"""``clntool simulate``: a simulated CLN for tests and trials."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from cln_monitor.cli.common_options import Commands
from cln_monitor.cli.context import session_of
from cln_monitor.cli.output_fields import shows
from cln_monitor.cli.usage import UsageError

app = Commands()


@app.command("simulate")
@shows(
    "api_url",
    "login",
    "secret_key",
    "registration_token",
    "monitoring_keys",
    "eportal_url",
    "eportal_api_key",
    "patches_url",
)
def simulate(
    context: typer.Context,
    *,
    servers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of KernelCare servers to generate (default: the demo fleet)."),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="S", help="Seed of the fleet: the same seed gives the same servers.")
    ] = 7,
    listen: Annotated[
        str, typer.Option(metavar="ADDRESS:PORT", help="Loopback address to listen on; port 0 picks a free port.")
    ] = "127.0.0.1:8099",
    revision: Annotated[
        str | None,
        typer.Option(
            metavar="MONTH", help="Revision of the API document to follow: 2024-03 or 2024-10 (default: the newest)."
        ),
    ] = None,
    speed: Annotated[float, typer.Option(metavar="X", help="Simulated seconds per second.")] = 1.0,
) -> None:
    """Run a simulated CLN on loopback until interrupted: every call of the API, with generated servers.

    It also has an ePortal and the patch server of KernelCare, whose URLs it prints.
    """
    from cln_monitor.simulator import REVISIONS, Simulator, serve  # noqa: PLC0415 # a tenth of the time of every other command

    session = session_of(context)
    host, port = _address(listen)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        if servers is None:
            simulator = Simulator.demo(seed, speed=speed, revision=revision or REVISIONS[-1])
        else:
            simulator = Simulator.generate(servers, seed, speed=speed, revision=revision or REVISIONS[-1])
        served = serve(simulator, port, host)
    except (ValueError, OSError) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot start the simulator: {problem}") from None
    with served:
        account = next(iter(simulator.accounts.values()))
        session.output.record(
            {
                "api_url": served.url,
                "login": account.login,
                "secret_key": account.secret_key,
                "registration_token": account.registration_token,
                "monitoring_keys": sorted(account.monitoring_keys),
                "eportal_url": served.eportal_url,
                "eportal_api_key": simulator.eportal.api_key,
                "patches_url": served.patches_url,
            }
        )
        stop.wait()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError("--listen: expected an address and a port, such as 127.0.0.1:8099")
    return host.removeprefix("[").removesuffix("]"), int(port)
