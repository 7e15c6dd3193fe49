"""Authentication tokens: `login|timestamp|sha1hex(secret_key + timestamp)` (API document: API overview)."""

import hmac
from hashlib import sha1

from cln_monitor.simulator.model import Account

from .call import CallRefusedError, SimulatedCall

VALID_FOR = 30 * 60  # seconds, in both directions


def make(login: str, secret_key: str, at: float) -> str:
    """The token of an account for a moment (Unix seconds, cut to whole ones)."""
    timestamp = str(int(at))
    digest = sha1(f"{secret_key}{timestamp}".encode(), usedforsecurity=False).hexdigest()
    return f"{login}|{timestamp}|{digest}"


def fits(account: Account, token: str, at: float) -> bool:
    """Whether `token` is one of the account's own, and valid at `at` (Unix seconds)."""
    _, _, signed = token.partition("|")
    timestamp = signed.partition("|")[0]
    # No timestamp of this era has more digits, and int() of thousands of them raises.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    expected = make(account.login, account.secret_key, int(timestamp))
    return hmac.compare_digest(token.encode(), expected.encode()) and abs(int(timestamp) - at) <= VALID_FOR


def authorized(call: SimulatedCall) -> Account:
    """The account whose token the call carries. Raises CallRefusedError when it carries no valid one."""
    token = call.query.get("token", "")
    account = call.accounts.get(token.partition("|")[0])
    if account is None or not fits(account, token, call.token_time):
        raise CallRefusedError("Authorization failed")
    return account
