"""Takes the pictures of the README: parts of the status page of the demonstration."""

from __future__ import annotations

import struct
import sys
import tempfile
import zlib
from pathlib import Path

from tests.real.chromium import Chromium
from tests.running import running_exporter

_WIDTH = 960
_PNG = b"\x89PNG\r\n\x1a\n"


def take(folder: Path) -> None:
    """Write ``status-page.png``, the same in the dark, and ``check-ins.png`` to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, running_exporter(Path(scratch), "--demo") as exporter:
        exporter.wait_ready()
        with Chromium() as chromium:
            light, dark = (chromium.page(f"http://{exporter.address}/", _WIDTH, dark=dark) for dark in (False, True))
            pictures = {
                "status-page": light.picture(end="#probes"),
                "status-page-dark": dark.picture(end="#probes"),
                "check-ins": light.picture("#check-ins", end="#check-ins .legend"),
            }
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(smaller(picture))


def smaller(png: bytes) -> bytes:
    """Return the same picture without PNG's filters: of even areas and letters zlib makes more when it sees them."""
    chunks: list[tuple[bytes, bytes]] = []
    at = len(_PNG)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    header = chunks[0][1]
    width, _, depth, kind = struct.unpack(">IIBB", header[:10])
    assert (depth, kind) == (8, 2), "Chromium is known to write pixels of three bytes"
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    packed = zlib.compress(_unfiltered(pixels, 3 * width), 9)
    return _PNG + b"".join(map(_chunk, ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))))


def _unfiltered(pixels: bytes, stride: int) -> bytes:
    rows = [bytearray(stride + 3)]  # each after a pixel of nothing, which the filters count with
    for start in range(0, len(pixels), stride + 1):
        above, row = rows[-1], bytearray(3) + pixels[start + 1 : start + 1 + stride]
        for place in range(3, stride + 3):
            left, up, corner = row[place - 3], above[place], above[place - 3]
            near = min((left, up, corner), key=lambda value: abs(left + up - corner - value))  # used at once
            row[place] = (row[place] + (0, left, up, (left + up) // 2, near)[pixels[start]]) & 255
        rows.append(row)
    return b"".join(b"\0" + row[3:] for row in rows[1:])


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, data = chunk
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    take(Path(sys.argv[1]))
