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

from cln_monitor.cln import Deadline, Limits, MonitoringKeys, Redactor, Secret, SystemClock, Transport
from cln_monitor.config import AccountConfig, Config, ConfigError, Sources, load_config, make_config
from cln_monitor.probes import PROBES, View, run_probe

from .exit import Exit, Unusable
from .source import Need

DEFAULT_CONFIG = Path("/etc/cln-monitor/cln-monitor.yml")


def view_from_cln(need: Need, options: argparse.Namespace, leave: Exit) -> dict[str, Any]:
    """Return what the probe in ``need`` sees now. Raises Unusable when it is not said, or wrong, whom to ask."""
    config, redactor = _configured(options, leave, needs_account=need.account)
    account = account_of(config, options)
    clock = SystemClock()
    sources = Sources(config, clock, redactor)
    probe = PROBES[need.probe]
    settings = msgspec.structs.replace(account.probes[need.probe], **need.settings)
    if probe.of_account:
        source = sources.of_account(account, need.probe, settings)
    else:
        source = sources.of_api(config.api_url_of(account), settings)
    client = source.client.within(Deadline(leave.left, clock))
    source = replace(source, client=client, only_keys=need.only_keys)
    leave.stage = f"reading {need.probe} from CLN at {client.api}"
    pool = ThreadPoolExecutor(config.concurrency)
    try:
        run = run_probe(probe, source, pool, clock)
    finally:
        pool.shutdown(wait=False)  # an interrupt waits for no answer
    return dict(msgspec.to_builtins(View.of_run(run, settings)))


@contextlib.contextmanager
def registrar_of(options: argparse.Namespace, leave: Exit) -> Iterator[MonitoringKeys]:
    """Give what registers monitoring keys at the CLN that ``options`` name. Raises Unusable."""
    config, redactor = _configured(options, leave, needs_account=False)
    api_url = config.api_url_of(account_of(config, options))
    clock = SystemClock()
    limits = Limits(config.concurrency, config.requests_per_second, clock)
    transport = Transport(config.transport_of(api_url), limits, clock, redactor)
    leave.stage = f"registering at CLN at {transport.settings.api}"
    with contextlib.closing(transport):
        yield MonitoringKeys(transport, Deadline(leave.left, clock))


def _configured(options: argparse.Namespace, leave: Exit, *, needs_account: bool) -> tuple[Config, Redactor]:
    """Return the configuration, and what keeps its secrets out of all that is printed."""
    leave.stage = "reading the configuration"
    config = config_of(options, needs_account=needs_account)
    redactor = Redactor()
    config.hide_secrets(redactor)
    leave.scrub = redactor.scrub
    return config, redactor


def config_of(options: argparse.Namespace, *, needs_account: bool) -> Config:
    """Return the configuration that ``options`` name or spell out. Raises Unusable."""
    login = getattr(options, "login", None)
    if not options.config:
        login = login or os.environ.get("CLN_LOGIN")
    file = Path(options.config or DEFAULT_CONFIG)
    is_named = bool(options.config) or _is_there(file)
    if login or not (is_named or needs_account):
        return _spelled_out(options, login, needs_account=needs_account)
    if not is_named:
        raise Unusable("whom to ask is not said: give --config, or --login with --secret-key-file, or --exporter")
    try:
        config = load_config(file)
    except ConfigError as error:
        raise Unusable(str(error).replace("\n", "; ")) from None
    changes: dict[str, Any] = {}
    if options.proxy:
        changes["proxy"] = Secret(options.proxy)
    if options.api_url:
        accounts = [msgspec.structs.replace(account, api_url=None) for account in config.accounts]
        changes |= {"api_url": options.api_url, "accounts": accounts}
    return msgspec.structs.replace(config, **changes)


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return True  # reading it tells what is wrong


def _spelled_out(options: argparse.Namespace, login: str | None, *, needs_account: bool) -> Config:
    """Return the configuration of an account that options and variables name, or of none where none is needed."""
    account: dict[str, Any] = {"name": "options", "login": login or "options"}
    token = getattr(options, "api_token", None)
    if getattr(options, "secret_key_file", None):
        account["secret_key_file"] = options.secret_key_file
    elif os.environ.get("CLN_SECRET_KEY"):
        account["secret_key_env"] = "CLN_SECRET_KEY"  # noqa: S105 # the name of a variable
    elif needs_account and token is None:
        raise Unusable("the secret key of the login is missing: give --secret-key-file, or set CLN_SECRET_KEY")
    else:
        account["secret_key"] = "none is needed for what is asked"  # noqa: S105 # it says so
    if token is not None:
        account["registration_token"] = token
    document: dict[str, Any] = {"accounts": [account]}
    document |= {key: getattr(options, key) for key in ("api_url", "proxy") if getattr(options, key)}
    try:
        return make_config(document, Path())
    except ConfigError as error:
        text = "; ".join(map(str, error.problems)).replace("accounts[0].", "")
        for option in ("secret_key_file", "api_token", "login"):
            field = {"api_token": "registration_token"}.get(option, option)
            text = text.replace(f"{field}:", f"--{option.replace('_', '-')}:")
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
