"""Raw HTTP/2 for attack programs and fuzzers: frames as bytes, header blocks without a table, and a connection that counts what it sees.

It checks nothing on purpose: an attacker does not either. Only loopback addresses are allowed.
"""
import dataclasses
import ipaddress
import select
import socket
import ssl
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 0x1, 0x1, 0x4, 0x8, 0x20
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)
MAX_STREAM_ID = 2**31 - 1
# How long a peer may refuse to take bytes before the connection counts as stalled.
SEND_PATIENCE_S = 1.0


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def settings(**values):
    """A SETTINGS frame: settings(INITIAL_WINDOW_SIZE=0)."""
    return frame(SETTINGS, 0, 0, b"".join(globals()[name].to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in values.items()))


def integer(value, prefix_bits, first=0):
    """An HPACK integer (RFC 7541, 5.1)."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes((first | value,))
    out = bytearray((first | limit,))
    value -= limit
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    out.append(value)
    return bytes(out)


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return integer(len(value), 7) + value


def literal(name, value, first=0x00):
    """A header without an index; first=0x40 adds it to the table of the receiver."""
    return bytes((first,)) + text(name) + text(value)


def request_block(path, *extra, method=b"\x83", scheme=b"\x86", authority="localhost", token=""):
    """The header block of a gRPC request."""
    block = method + scheme + literal(":path", path) + literal(":authority", authority)
    block += literal("te", "trailers") + literal("content-type", "application/grpc")
    if token:
        block += literal("authorization", "Bearer " + token)
    return block + b"".join(literal(name, value) for name, value in extra)


def message(payload, compressed=0):
    """A gRPC message: flag, length, payload."""
    return bytes((compressed,)) + len(payload).to_bytes(4, "big") + payload


@dataclasses.dataclass
class Tally:
    """What an attack did and what came back, over all of its connections."""
    bytes_sent: int = 0
    bytes_received: int = 0
    connections: int = 0
    refused: int = 0          # no connection, or closed before the first answer
    closed: int = 0           # closed by the peer later
    stalled: int = 0          # the peer no longer reads
    goaways: int = 0
    resets: int = 0           # RST_STREAM of the peer
    answers: int = 0          # HEADERS of the peer that end a stream
    streams: int = 0

    def as_dict(self):
        return dataclasses.asdict(self)


class Connection:
    """One HTTP/2 connection. `read=False`: what the peer sends is left in the socket, as an attacker does who wants it to pile up."""

    def __init__(self, target, tally, source=None, tls=False, begin=True, first=settings(), read=True, connect_timeout_s=2.0):
        self.tally, self.reads = tally, read
        self.open, self.answered, self.began, self.next_stream = False, False, False, 1
        self.rest = b""
        self.last_goaway = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tally.connections += 1
        try:
            self.socket.settimeout(connect_timeout_s)
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(target)
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.set_alpn_protocols(["h2"])
                self.socket = context.wrap_socket(self.socket)
            self.socket.setblocking(False)
            self.open = True
            if begin:
                self.send(PREFACE + first)
                self.began = True
        except OSError:
            self.fail()

    def fail(self):
        if self.open or not self.answered:
            if self.answered:
                self.tally.closed += 1
            else:
                self.tally.refused += 1
        self.open = False
        self.socket.close()

    def close(self):
        self.open = False
        self.socket.close()

    def send(self, data):
        """False when the peer closed, or takes no more."""
        view, patience = memoryview(data), time.monotonic() + SEND_PATIENCE_S
        while self.open and view:
            if self.reads and self.began:
                self.receive()
                if not self.open:
                    return False
            try:
                sent = self.socket.send(view[:65536])
                self.tally.bytes_sent += sent
                view = view[sent:]
                patience = time.monotonic() + SEND_PATIENCE_S
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                left = patience - time.monotonic()
                if left <= 0:
                    self.tally.stalled += 1
                    return False
                select.select([self.socket] if self.reads else [], [self.socket], [], min(left, 0.1))
            except OSError:
                if not self.reads:
                    self.receive()  # the GOAWAY that came before the end
                self.fail()
        return self.open

    def receive(self):
        """Takes what has come, without waiting; returns the frames as (kind, flags, stream, payload)."""
        frames = []
        while self.open:
            try:
                data = self.socket.recv(1 << 18)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError:
                data = b""
            if not data:
                self.fail()
                break
            self.tally.bytes_received += len(data)
            self.answered = True
            self.rest += data
            while len(self.rest) >= 9 and len(self.rest) >= 9 + int.from_bytes(self.rest[:3], "big"):
                end = 9 + int.from_bytes(self.rest[:3], "big")
                one = (self.rest[3], self.rest[4], int.from_bytes(self.rest[5:9], "big"), self.rest[9:end])
                self.rest = self.rest[end:]
                self.count(one)
                frames.append(one)
        return frames

    def count(self, one):
        kind, flags, _, payload = one
        if kind == GOAWAY:
            self.tally.goaways += 1
            self.last_goaway = int.from_bytes(payload[4:8], "big")
        elif kind == RST_STREAM:
            self.tally.resets += 1
        elif kind == HEADERS and flags & END_STREAM:
            self.tally.answers += 1
        elif kind == SETTINGS and not flags & ACK and self.open and self.began:  # nothing goes before the preface
            try:
                self.socket.send(frame(SETTINGS, ACK, 0))
            except OSError:
                pass

    def stream(self):
        """The next stream's number; 0 when the numbers are used up."""
        number = self.next_stream
        if number > MAX_STREAM_ID:
            return 0
        self.next_stream += 2
        self.tally.streams += 1
        return number

    def wait(self, seconds, until=lambda frames: False):
        """Reads for so long, or until what was read satisfies `until`; returns all frames."""
        frames, end = [], time.monotonic() + seconds
        while self.open and time.monotonic() < end:
            select.select([self.socket], [], [], min(0.05, max(0, end - time.monotonic())))
            frames += self.receive()
            if until(frames):
                break
        return frames


def loopback(address):
    """(host, port) of 127.x.x.x:port; anything else is refused."""
    host, _, port = address.rpartition(":")
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{address} is not a loopback address: attacks go to 127.0.0.0/8 only")
    return host, int(port)
