"""The injection of faults: the effect of each kind of fault on an exchange."""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import repeat

from . import answers
from .answers import SimulatedAnswer, phrase
from .exchange import SimulatedExchange
from .faults import Fault

Injection = Callable[[SimulatedExchange, Fault, Callable[[], SimulatedAnswer]], None]
_BLOCK = 1 << 16


def inject(exchange: SimulatedExchange, fault: Fault, real: Callable[[], SimulatedAnswer]) -> None:
    """Inject a fault into the exchange. `real` makes the correct response, and the changes of the call."""
    _INJECTIONS[fault.kind](exchange, fault, real)


def _status(exchange: SimulatedExchange, fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    status, retry_after = fault.fields["status"], fault.fields["retry_after"]
    if fault.fields["html"]:
        answer = answers.page(status, "The server cannot answer right now.")
    else:
        answer = answers.refusal(_MESSAGES.get(status, "Unexpected server error"), status)
    if retry_after is not None:
        answer = replace(answer, headers={"Retry-After": str(retry_after)})
    exchange.send(answer)


def _answer(exchange: SimulatedExchange, fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    body = fault.fields["body"]
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    exchange.send(SimulatedAnswer(fault.fields["status"], fault.fields["content_type"], raw))


def _html(exchange: SimulatedExchange, _fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    exchange.send(answers.page(200, "Scheduled maintenance | we will be back soon."))


def _empty(exchange: SimulatedExchange, _fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    exchange.send(SimulatedAnswer(200, answers.JSON, b""))


def _redirect(exchange: SimulatedExchange, fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    exchange.send(answers.page(302, "It is elsewhere.", {"Location": fault.fields["location"]}))


def _cut(exchange: SimulatedExchange, _fault: Fault, real: Callable[[], SimulatedAnswer]) -> None:
    answer = real()
    exchange.send(replace(answer, body=answer.body[: len(answer.body) // 2]))


def _cut_body(exchange: SimulatedExchange, _fault: Fault, real: Callable[[], SimulatedAnswer]) -> None:
    answer = exchange.encoded(real())
    exchange.request.status = answer.status
    exchange.write(exchange.head(answer) + answer.body[: len(answer.body) // 2])
    exchange.keep_alive = False


def _cut_gzip(exchange: SimulatedExchange, _fault: Fault, real: Callable[[], SimulatedAnswer]) -> None:
    packer = zlib.compressobj(wbits=31)
    answer = real()
    packed = packer.compress(answer.body) + packer.flush(zlib.Z_SYNC_FLUSH)
    answer = replace(answer, body=packed, headers={**answer.headers, "Content-Encoding": "gzip"})
    exchange.request.status = answer.status
    exchange.write(exchange.head(answer) + answer.body)


def _interim(exchange: SimulatedExchange, fault: Fault, real: Callable[[], SimulatedAnswer]) -> None:
    status = fault.fields["status"]
    exchange.write(f"HTTP/1.1 {status} {phrase(status)}\r\nLink: </style.css>; rel=preload\r\n\r\n".encode())
    exchange.send(real())


def _raw(exchange: SimulatedExchange, fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    body = fault.fields["body"]
    exchange.write(body.encode() if isinstance(body, str) else body)


def _hang(exchange: SimulatedExchange, _fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    exchange.wait_for_end()
    exchange.keep_alive = False


def _drip(exchange: SimulatedExchange, fault: Fault, real: Callable[[], SimulatedAnswer]) -> None:
    answer = exchange.encoded(real())
    exchange.request.status = answer.status
    exchange.write(exchange.head(answer))
    _drop_by_drop(exchange, answer.body, fault.fields["seconds"])


def _drip_headers(exchange: SimulatedExchange, fault: Fault, real: Callable[[], SimulatedAnswer]) -> None:
    answer = exchange.encoded(real())
    exchange.request.status = answer.status
    _drop_by_drop(exchange, exchange.head(answer) + answer.body, fault.fields["seconds"])


def _drop_by_drop(exchange: SimulatedExchange, data: bytes, seconds: float) -> None:
    for at in range(len(data)):
        if not exchange.wait(seconds):
            return
        exchange.write(data[at : at + 1])


def _reset(exchange: SimulatedExchange, _fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    exchange.reset()
    exchange.keep_alive = False


def _garbage(exchange: SimulatedExchange, _fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    exchange.write(b"SSH-2.0-OpenSSH_9.6\r\n\x00\x00\x01\xf4\x06\x14\xff\xfe\x80")
    exchange.keep_alive = False


def _huge(exchange: SimulatedExchange, fault: Fault, _real: Callable[[], SimulatedAnswer]) -> None:
    exchange.keep_alive = False
    exchange.request.status = 200
    pieces = _plausible(fault.fields["size"])
    headers = {}
    if fault.fields["gzip"]:
        pieces = _compressed(pieces)
        headers = {"Content-Encoding": "gzip"}
    exchange.write(exchange.head(SimulatedAnswer(200, answers.JSON, b"", headers), endless=True))
    for piece in pieces:
        if not exchange.write(piece):
            return


def _plausible(size: int) -> Iterator[bytes]:
    """Yield an envelope of exactly `size` bytes with many rows, padded with blanks; at least an empty envelope."""
    start, end = b'{"message": null, "type": null, "success": true, "data": [', b"]}"
    row = {"server_id": "s096slnkaAtoiAsd", "ip": "192.0.2.1", "id": "12345", "key": "WsTs821nSAtiastD"}
    rows = json.dumps(row).encode()
    block = (rows + b", ") * (_BLOCK // len(rows))
    yield start
    room = max(0, size - len(start) - len(end))
    if room >= len(rows):
        blocks, room = divmod(room - len(rows), len(block))
        yield from repeat(block, blocks)
        yield rows
    yield b" " * room + end


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=1, wbits=31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


_MESSAGES: Mapping[int, str] = {
    401: "Authorization failed",
    403: "Access denied",
    404: "Not found",
    429: "Too many requests",
    503: "Service unavailable",
}
_INJECTIONS: Mapping[str, Injection] = {
    "answer": _answer,
    "cut": _cut,
    "cut_body": _cut_body,
    "cut_gzip": _cut_gzip,
    "drip": _drip,
    "drip_headers": _drip_headers,
    "empty": _empty,
    "garbage": _garbage,
    "hang": _hang,
    "html": _html,
    "huge": _huge,
    "interim": _interim,
    "raw": _raw,
    "redirect": _redirect,
    "reset": _reset,
    "status": _status,
}
