"""TLS settings as seen by a client in a handshake: versions, ciphers, curves, and client certificates."""

from __future__ import annotations

import contextlib
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.cln import Secret
from cln_monitor.exporter.web.config_schema import TlsServerConfig
from cln_monitor.exporter.web.tls import Tls, TlsConfigError, make_tls

from .web_configs import write_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the certificates, one of them of another CA."""
    directory = tmp_path_factory.mktemp("tls")
    write_files(directory)
    other = directory / "other"
    other.mkdir()
    write_files(other)
    return directory


def _tls(folder: Path, **settings: Any) -> tuple[Tls, list[str]]:
    tls, _, warnings = make_tls(TlsServerConfig(cert_file="server.pem", key_file="server.key", **settings), folder)
    assert tls is not None
    return tls, warnings


def _client(folder: Path, certificate: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if certificate is not None:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def _shake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Return the client's end of a handshake in memory, with a word sent both ways. Raises SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname="localhost"),
        server.wrap_bio(up, down, server_side=True),
    ]
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for end in ends:
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                pass
    ends[0].write(b"ask")
    assert ends[1].read() == b"ask"
    ends[1].write(b"answer")
    assert ends[0].read() == b"answer"  # of TLS 1.3 only now does the client know that it was let in
    return ends[0]


def test_by_default(folder: Path) -> None:
    """The default is TLS 1.3, HTTP/1.1, and no client certificate."""
    tls, warnings = _tls(folder)
    client = _client(folder)
    client.set_alpn_protocols(["h2", "http/1.1"])
    client_end = _shake(tls.context, client)
    assert (client_end.version(), client_end.selected_alpn_protocol(), warnings) == ("TLSv1.3", "http/1.1", [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("inline", [False, True], ids=["files", "inline"])
def test_pem_with_a_mark(folder: Path, tmp_path: Path, encoding: str, *, inline: bool) -> None:
    """PEM files may contain a byte order mark and non-ASCII comments."""
    names = {"cert": "server.pem", "key": "server.key", "client_ca": "ca.pem"}
    settings: dict[str, Any] = {"client_auth_type": "RequireAndVerifyClientCert"}
    for key, name in names.items():
        text = "# für\n" + (folder / name).read_text()
        (tmp_path / name).write_text(text, encoding=encoding)
        settings |= {key: f"\ufeff{text}"} if inline else {f"{key}_file": name}
    if inline:
        settings["key"] = Secret(settings["key"])
    tls, files, warnings = make_tls(TlsServerConfig(**settings), tmp_path)
    assert tls is not None
    assert (len(files), warnings) == (0 if inline else 3, [])
    _shake(tls.context, _client(folder, folder / "client.pem"))


@pytest.mark.parametrize("key", ["cert_file", "key_file", "client_ca_file"])
@pytest.mark.parametrize(
    ("name", "problem"), [("fifo", "fifo is a pipe without a writer"), ("/dev/zero", "/dev/zero is larger than")]
)
def test_files_that_give_no_pem(key: str, name: str, problem: str, folder: Path, tmp_path: Path) -> None:
    """Special files as certificates cause an error, and neither hang nor exhaust memory."""
    os.mkfifo(tmp_path / "fifo")
    files: dict[str, Any] = {each: str(folder / of) for each, of in _FILES.items()} | {key: name}
    settings = TlsServerConfig(**files, client_auth_type="RequireAndVerifyClientCert")
    with pytest.raises(TlsConfigError, match=problem) as raised:
        make_tls(settings, tmp_path)
    assert raised.value.key == key


def test_pem_from_pipes(folder: Path) -> None:
    """Certificates and keys can be read from pipes, repeatedly."""
    files: dict[str, Any] = {}
    for key, name in _FILES.items():
        reading, writing = os.pipe()
        os.write(writing, (folder / name).read_bytes())
        os.close(writing)
        files[key] = f"/dev/fd/{reading}"
    try:
        for _ in range(2):
            tls, *_ = make_tls(TlsServerConfig(**files, client_auth_type="RequireAndVerifyClientCert"), folder)
            assert tls is not None
            _shake(tls.context, _client(folder, folder / "client.pem"))
    finally:
        for name in files.values():
            os.close(int(name.rpartition("/")[2]))


_FILES = {"cert_file": "server.pem", "key_file": "server.key", "client_ca_file": "ca.pem"}


@pytest.mark.parametrize(
    ("settings", "spoken"),
    [
        ({}, {"TLSv1.2", "TLSv1.3"}),
        ({"min_version": "TLS10"}, {"TLSv1.2", "TLSv1.3"}),
        ({"min_version": "TLS13"}, {"TLSv1.3"}),
        ({"max_version": "TLS12"}, {"TLSv1.2"}),
        ({"cipher_suites": ["TLS_AES_128_GCM_SHA256"]}, {"TLSv1.3"}),
    ],
)
def test_versions(settings: dict[str, Any], spoken: set[str], folder: Path) -> None:
    """The TLS version is within the configured bounds, and at least 1.2."""
    tls, _ = _tls(folder, **settings)
    negotiated = set()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = _client(folder)
        client.minimum_version = client.maximum_version = version
        with contextlib.suppress(ssl.SSLError):
            negotiated.add(_shake(tls.context, client).version())
    assert negotiated == spoken
    assert tls.context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_ciphers(folder: Path) -> None:
    """The configured cipher suites of TLS 1.2 are used in their order, or in that of the client."""
    names = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]
    client = _client(folder)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    chosen = {}
    for prefer in (True, False):
        tls, _ = _tls(folder, cipher_suites=names, prefer_server_cipher_suites=prefer)
        chosen[prefer] = (_shake(tls.context, client).cipher() or ("",))[0]
    assert chosen == {True: "ECDHE-ECDSA-AES256-GCM-SHA384", False: "ECDHE-ECDSA-CHACHA20-POLY1305"}
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError):
        _shake(tls.context, client)


def test_a_curve(folder: Path) -> None:
    """A client without the configured curve is rejected."""
    tls, warnings = _tls(folder, curve_preferences=["CurveP384", "X25519"])
    assert warnings == ["curve_preferences: Python's ssl module supports only one curve, so only CurveP384 is used"]
    client = _client(folder)
    _shake(tls.context, client)
    client.set_ecdh_curve("prime256v1")
    with pytest.raises(ssl.SSLError):
        _shake(tls.context, client)


@pytest.mark.parametrize(
    ("curves", "warning"),
    [
        (["X25519"], "cannot use X25519 alone, so its defaults are used"),
        (["X25519", "CurveP384"], "supports only one curve, so only CurveP384 is used"),
    ],
)
def test_a_curve_that_python_takes_not_alone(
    curves: list[str], warning: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A curve that cannot be used alone causes a warning, and the next one or the default curves are used."""
    set_curve = ssl.SSLContext.set_ecdh_curve

    def refuse(context: ssl.SSLContext, name: str) -> None:
        if name == "X25519":
            raise ssl.SSLError("unknown group")
        set_curve(context, name)

    monkeypatch.setattr(ssl.SSLContext, "set_ecdh_curve", refuse)
    tls, warnings = _tls(folder, curve_preferences=curves)
    assert warnings == [f"curve_preferences: Python's ssl module {warning}"]
    _shake(tls.context, _client(folder))


@pytest.mark.parametrize(
    ("kind", "without", "with_another"),
    [
        ("RequireAndVerifyClientCert", False, False),
        ("VerifyClientCertIfGiven", True, False),
        ("NoClientCert", True, True),
    ],
)
def test_clients(kind: str, without: bool, with_another: bool, folder: Path) -> None:
    """Clients without a certificate, or with one of another CA, are accepted or rejected as configured."""
    authority = {} if kind == "NoClientCert" else {"client_ca_file": "ca.pem"}
    tls, _ = _tls(folder, client_auth_type=kind, **authority)

    def is_let_in(certificate: Path | None) -> bool:
        try:
            return bool(_shake(tls.context, _client(folder, certificate)))
        except ssl.SSLError:
            return False

    assert is_let_in(folder / "client.pem")
    assert is_let_in(None) == without
    assert is_let_in(folder / "other" / "client.pem") == with_another


def test_no_session_is_taken_up_again(folder: Path) -> None:
    """TLS sessions are not resumed, because they would outlive the CA and the versions."""
    tls, _ = _tls(folder)
    client = _client(folder)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    session = _shake(tls.context, client).session
    assert session is None or not session.has_ticket
    assert tls.context.num_tickets == 0
