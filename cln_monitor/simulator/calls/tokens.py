"""Authentication tokens: `login|timestamp|sha1hex(secret_key + timestamp)` (API document: API overview)."""

import hmac
from hashlib import sha1

from cln_monitor.simulator.model import Account

from .call import CallRefusedError, SimulatedCall

VALID_FOR = 30 * 60  # seconds, in both directions


def make_token(login: str, secret_key: str, at: float) -> str:
    """Return the token of an account for a time (Unix seconds, truncated to whole seconds)."""
    timestamp = str(int(at))
    signature = sha1(f"{secret_key}{timestamp}".encode(), usedforsecurity=False).hexdigest()
    return f"{login}|{timestamp}|{signature}"


def is_valid(account: Account, token: str, at: float) -> bool:
    """Return whether `token` is a token of the account and valid at `at` (Unix seconds)."""
    _, _, signed = token.partition("|")
    timestamp = signed.partition("|")[0]
    # A timestamp has at most 12 digits, and int() raises for thousands of digits.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    expected = make_token(account.login, account.secret_key, int(timestamp))
    return hmac.compare_digest(token.encode(), expected.encode()) and abs(int(timestamp) - at) <= VALID_FOR


def authorized(call: SimulatedCall) -> Account:
    """Return the account of the call's token. Raises CallRefusedError if the call has no valid token."""
    token = call.query.get("token", "")
    account = call.accounts.get(token.partition("|")[0])
    if account is None or not is_valid(account, token, call.token_time):
        raise CallRefusedError("Authorization failed")
    return account
