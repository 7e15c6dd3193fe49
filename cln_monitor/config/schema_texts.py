"""Descriptions of the configuration keys in the JSON schema, which editors show."""

from __future__ import annotations

TOP = {
    "api_url": "Root of the CLN API.",
    "timeout": "Timeout per API call.",
    "concurrency": "Maximum number of parallel API calls, all accounts together.",
    "requests_per_second": "Maximum number of calls per second per API host; 0 disables the limit.",
    "proxy": "HTTP proxy for calls to CLN, such as http://proxy.example.com:3128.",
    "tls_config": "How the TLS certificate of CLN is verified.",
    "key_labels": "Whether metrics show license keys, which are credentials, masked or in full.",
    "max_server_series": "A probe with more per-server series exposes none of them, and a metric reports it.",
    "shard": "Shard of this exporter: 0/3, 1/3, and 2/3 split the keys between three exporters.",
    "allow_world_readable_secrets": "Whether to use secret files that every user of the machine can read.",
    "probes": "Settings of the probes; an account can override each of them.",
    "patches": "The patch server, which is asked only where patch levels of servers are known.",
    "eportals": "TuxCare ePortals, which are only read.",
    "accounts": "The CLN accounts; at least one account or ePortal is required.",
}
PATCHES = {
    "url": "Root of the patch server; it is sent no credentials.",
    "cves": "CVE ids to count the servers of that have, or do not have, the fix in their loaded live patch.",
}
EPORTAL = {
    "name": "Value of the label `account`, unique among ePortals and accounts.",
    "url": "Root of the API of the ePortal, such as https://eportal.example.net/admin/api.",
    "api_key_file": "File with an API key of the ePortal; read again when it changes.",
    "username": "User of the ePortal, instead of an API key.",
    "password_file": "File with the password of the user.",
}
TLS = {
    "ca_file": "File with CA certificates in PEM format, used instead of the built-in ones.",
    "insecure_skip_verify": "Disable TLS certificate verification.",
}
ACCOUNT = {
    "name": "Value of the label `account`.",
    "login": "Login at CLN; an account of monitoring keys alone has none.",
    "login_env": "Environment variable with the login at CLN.",
    "secret_key_file": "File with the secret key of the account; read again when it changes.",
    "secret_key_env": "Environment variable with the secret key of the account.",
    "secret_key": "Secret key of the account, from its profile page in CLN.",
    "registration_token_file": "File with the static registration token, for the patch status of the whole account.",
    "registration_token_env": "Environment variable with the static registration token.",
    "registration_token": "Static registration token, for the patch status of the whole account.",
    "monitoring_keys_file": "File with monitoring keys, one per line.",
    "monitoring_keys": "Monitoring keys, in addition to the keys of the account.",
    "api_url": "Root of the CLN API for this account.",
    "probes": "Settings of the probes for this account.",
}
PROBE = {
    "enabled": "Whether the probe runs.",
    "interval": "Time between two polls, at least 1s.",
    "max_age": "How long the last good data are kept while the probe fails.",
    "stale_after": "Age of the last check-in after which a server counts as silent.",
    "server_series": "Whether to expose per-server series; false: counts and a histogram of ages per key.",
    "scopes": "Scopes to query: servers of the keys, or of the reseller. A scope listed here is required.",
    "products": "Product codes to query. A product listed here is required.",
}
PROBES = {
    "status": "CLN's own status.",
    "kernelcare": "KernelCare keys and the check-ins of their servers.",
    "imunify": "Imunify keys and the check-ins of their servers.",
    "patch_status": "Whether kernels are patched.",
    "ip_licenses": "IP licenses and the check-ins of their servers.",
    "els": "Keys of Extended Lifecycle Support.",
    "groups": "Server groups.",
    "awp": "Billable AccelerateWP entities of this month.",
    "cloudlinux": "Keys of CloudLinux OS and their servers.",
    "eportal": "Servers of each ePortal: their check-ins, and their live patches.",
}
