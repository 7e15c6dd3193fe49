"""The direct way: run the probe now, with credentials of a configuration, of options, or of the environment."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cln_monitor.cln import Deadline, Limits, MonitoringKeys, Redactor, Secret, SystemClock, Transport
from cln_monitor.config import AccountConfig, Config, ConfigError, Sources, load_config, parse_config
from cln_monitor.probes import PROBES, View, run_probe

from .exit import Exit, Unusable
from .source import Need

DEFAULT_CONFIG = Path("/etc/cln-monitor/cln-monitor.yml")
_MARGIN = 0.5  # seconds of --timeout that are kept to tell what was found


def view_from_cln(need: Need, options: argparse.Namespace, leave: Exit) -> dict[str, Any]:
    """Return what the probe in ``need`` sees now. Raises Unusable when it is not said, or wrong, whom to ask."""
    redactor = Redactor()
    leave.scrub = redactor.scrub
    leave.stage = "reading the configuration"
    config = config_of(options, needs_account=need.account)
    account = account_of(config, options)
    clock = SystemClock()
    sources = Sources(config, clock, redactor)
    probe = PROBES[need.probe]
    settings = msgspec.structs.replace(account.probes[need.probe], **need.settings)
    if probe.of_account:
        source = sources.of_account(account, need.probe, settings)
    else:
        source = sources.of_api(config.api_url_of(account), settings)
    source = replace(source, client=source.client.within(_deadline(options, clock)), only_keys=need.only_keys)
    leave.stage = f"reading {need.probe} from CLN at {source.client.api}"
    with ThreadPoolExecutor(config.concurrency) as pool:
        run = run_probe(probe, source, pool, clock)
    return dict(msgspec.to_builtins(View.of_run(run, settings)))


@contextlib.contextmanager
def registrar_of(options: argparse.Namespace, leave: Exit) -> Iterator[MonitoringKeys]:
    """Give what registers monitoring keys at the CLN that ``options`` name. Raises Unusable."""
    redactor, clock = Redactor(), SystemClock()
    leave.scrub = redactor.scrub
    config = config_of(options, needs_account=False)
    api_url = config.api_url_of(account_of(config, options))
    limits = Limits(config.concurrency, config.requests_per_second, clock)
    transport = Transport(config.transport_of(api_url), limits, clock, redactor)
    leave.stage = f"registering at CLN at {transport.settings.api}"
    with contextlib.closing(transport):
        yield MonitoringKeys(transport, _deadline(options, clock))


def config_of(options: argparse.Namespace, *, needs_account: bool) -> Config:
    """Return the configuration that ``options`` name or spell out. Raises Unusable."""
    login = getattr(options, "login", None) or (None if options.config else os.environ.get("CLN_LOGIN"))
    file = Path(options.config) if options.config else DEFAULT_CONFIG
    named = bool(options.config) or file.exists()
    if login or (not named and not needs_account):
        return _spelled_out(options, login or "nobody")
    if not named:
        raise Unusable("whom to ask is not said: give --config, or --login with --secret-key-file, or --exporter")
    try:
        config = load_config(file)
    except ConfigError as error:
        raise Unusable(str(error).replace("\n", "; ")) from None
    changes: dict[str, Any] = {"api_url": options.api_url} if options.api_url else {}
    if options.proxy:
        changes["proxy"] = Secret(options.proxy)
    return msgspec.structs.replace(config, **changes)


def _deadline(options: argparse.Namespace, clock: SystemClock) -> Deadline:
    return Deadline(max(options.timeout - _MARGIN, options.timeout / 2), clock)


def _spelled_out(options: argparse.Namespace, login: str) -> Config:
    account: dict[str, Any] = {"name": "options", "login": login}
    if getattr(options, "secret_key_file", None):
        account["secret_key_file"] = options.secret_key_file
    elif "CLN_SECRET_KEY" in os.environ:
        account["secret_key_env"] = "CLN_SECRET_KEY"  # noqa: S105 # the name of a variable
    elif login == "nobody":
        account["secret_key"] = "none is needed for what is asked"  # noqa: S105 # it says so
    if token := getattr(options, "api_token", None):
        account["registration_token"] = token
    document: dict[str, Any] = {"accounts": [account]}
    document |= {key: getattr(options, key) for key in ("api_url", "proxy") if getattr(options, key)}
    try:
        return parse_config(yaml.safe_dump(document), Path.cwd())
    except ConfigError as error:
        text = "; ".join(map(str, error.problems)).replace("accounts[0].", "")
        for option in ("secret_key_file", "api_url", "proxy", "login"):
            text = text.replace(f"{option}:", f"--{option.replace('_', '-')}:")
        raise Unusable(text) from None


def account_of(config: Config, options: argparse.Namespace) -> AccountConfig:
    """Return the account that ``options`` name, or the only one of ``config``. Raises Unusable."""
    names = [account.name for account in config.accounts]
    if options.account is None or getattr(options, "login", None):
        if len(names) > 1:
            raise Unusable(f"the configuration has several accounts, name one with --account: {', '.join(names)}")
        return config.accounts[0]
    if options.account not in names:
        raise Unusable(f"--account: there is no {options.account} in the configuration; there are: {', '.join(names)}")
    return config.accounts[names.index(options.account)]
