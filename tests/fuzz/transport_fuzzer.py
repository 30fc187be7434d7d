#!/usr/bin/env python3
"""A fuzzer of the transport: sessions of HTTP/2 that begin valid and are then mutated, frame by frame and byte by byte.

    tests/fuzz/transport_fuzzer.py --program build/release/bin/warmline --seconds 600 --seed 7

It starts the server. After every batch the server must live, say ready, and give a good caller the same bytes as at first.
A failure names seed and session: --seed S --session N plays that one alone. The sessions before a failure are kept in --keep.
"""
import json
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import h2wire as h2  # noqa: E402
try:
    from fuzz_target import Target, options_of
except ImportError as missing:
    print(f"left out: {missing}; scripts/install-packages test installs it")
    sys.exit(77)

BATCH = 50
KEPT_SESSIONS = 200
MAX_SESSION_BYTES = 200_000
ANSWER_S = 0.02
PATHS = ("/warmline.v1.MatchService/Match", "/warmline.v1.MatchService/MatchStream", "/warmline.v1.MemberService/Import", "/warmline.v1.PoolService/ListPools",
         "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "/no.such/Method", "/", "", "*")
HOSTILE_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xFFFF, 0xFFFFFF, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEADERS = (("grpc-timeout", "1n"), ("grpc-timeout", "99999999H"), ("grpc-timeout", "-1S"), ("grpc-timeout", "x"), ("grpc-encoding", "gzip"), ("grpc-encoding", "snappy"),
           ("grpc-accept-encoding", "gzip,deflate,identity," * 20), ("authorization", ""), ("authorization", "Bearer"), ("authorization", "Basic eDp5"), ("content-length", "5"),
           ("content-type", "text/plain"), ("te", "gzip"), ("connection", "close"), ("transfer-encoding", "chunked"), (":path", "/twice"), (":status", "200"), ("", "empty"),
           ("UPPER", "case"), ("x-bin", "not base64!"), ("grpc-trace-bin", "AAAA"), ("x-nul", "a\0b"), ("x-line", "a\r\nb: c"), ("grpc-tags-bin", "A" * 3000),
           ("grpc-previous-rpc-attempts", "4294967296"), ("user-agent", "u" * 5000), ("x-warmline-peer", "unknown"), ("traceparent", "00-" + "0" * 32 + "-x-01"), ("host", "h"))


class Session:
    """One connection's frames, as a list of bytes; made by a generator of its own, so a seed and a number give the same one."""

    def __init__(self, seed, number, token, request):
        self.chance = random.Random(f"{seed}/{number}")
        self.token, self.request, self.next_stream = token, request, 1
        self.frames = [h2.PREFACE, h2.settings(), h2.frame(h2.SETTINGS, h2.ACK, 0)]
        # A connection ends at the first frame that breaks it: so most sessions have few of those, and some many.
        self.most_hostile = self.chance.choice((0, 0, 1, 3))
        kinds = [self.call] * 20 + [self.control, self.odd_headers] * self.chance.choice((0, 0, 1, 10))
        for _ in range(self.chance.randint(1, 12)):
            self.chance.choice(kinds)()
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 6))):
            self.chance.choice((self.flip, self.lengthen, self.retype, self.restream, self.truncate, self.repeat, self.swap, self.drop, self.insert, self.reflag, self.splice))()

    def stream(self):
        number = self.next_stream
        self.next_stream += 2
        return number

    def block(self):
        extra = [self.chance.choice(HEADERS) for _ in range(self.chance.randint(0, self.most_hostile))]
        path = self.chance.choice(PATHS)
        token = self.chance.choice((self.token, self.token, "", "x" * 30))
        return h2.request_block(path, *extra, token=token)

    def message(self):
        body = self.chance.choice((b"", self.request, self.request, self.chance.randbytes(self.chance.randint(1, 300)), self.request * 20))
        made = h2.message(body, self.chance.choice((0, 0, 0, 0, 1, 2, 255)))
        if self.chance.random() < 0.1:
            made = made[:1] + self.chance.choice(HOSTILE_NUMBERS).to_bytes(4, "big") + made[5:]
        return made

    def call(self):
        number, block, body = self.stream(), self.block(), self.message()
        if self.chance.random() < 0.3:  # in CONTINUATION frames
            cut = self.chance.randint(0, len(block))
            self.frames += [h2.frame(h2.HEADERS, 0, number, block[:cut]), h2.frame(h2.CONTINUATION, h2.END_HEADERS, number, block[cut:])]
        elif self.chance.random() < 0.2:
            pad = self.chance.randint(0, 255)
            self.frames.append(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.PADDED | h2.PRIORITY_FLAG, number, bytes((pad,)) + b"\0\0\0\0\x10" + block + bytes(pad)))
        else:
            self.frames.append(h2.frame(h2.HEADERS, h2.END_HEADERS, number, block))
        while body and self.chance.random() < 0.9:
            cut = self.chance.choice((len(body), len(body), 1, 5, len(body) // 2 + 1))
            piece, body = body[:cut], body[cut:]
            self.frames.append(h2.frame(h2.DATA, h2.END_STREAM if not body else 0, number, piece))
        if self.chance.random() < 0.15:
            self.frames.append(h2.frame(h2.RST_STREAM, 0, number, self.chance.choice(HOSTILE_NUMBERS).to_bytes(4, "big")))

    def control(self):
        any_stream = self.chance.choice((0, 1, 3, self.next_stream, 2, 0x7FFFFFFF))
        number = self.chance.choice(HOSTILE_NUMBERS)
        self.frames.append(self.chance.choice((
            h2.frame(h2.SETTINGS, 0, 0, self.chance.choice(range(0, 9)).to_bytes(2, "big") + number.to_bytes(4, "big")),
            h2.frame(h2.SETTINGS, h2.ACK, 0), h2.frame(h2.PING, self.chance.choice((0, 1)), 0, self.chance.randbytes(8)),
            h2.frame(h2.WINDOW_UPDATE, 0, any_stream, number.to_bytes(4, "big")), h2.frame(h2.RST_STREAM, 0, any_stream, number.to_bytes(4, "big")),
            h2.frame(h2.PRIORITY, 0, any_stream, number.to_bytes(4, "big") + b"\xff"), h2.frame(h2.GOAWAY, 0, 0, number.to_bytes(4, "big") * 2 + b"debug"),
            h2.frame(h2.PUSH_PROMISE, h2.END_HEADERS, any_stream, b"\0\0\0\2" + self.block()), h2.frame(self.chance.randint(10, 255), 0xFF, any_stream, self.chance.randbytes(20)),
            h2.frame(h2.DATA, self.chance.choice((0, 1)), any_stream, self.message()), h2.frame(h2.CONTINUATION, 4, any_stream, self.block()))))

    def odd_headers(self):
        """Header blocks that HPACK must refuse, or barely take."""
        odd = (b"\xff" * 10, b"\x80", b"\xbf", b"\x40" + h2.integer(2**40, 7), b"\x3f\xe1\xff\xff\xff\x0f", b"\x20" * 50, h2.literal("a", "b" * 4000, 0x40) + b"\xbe" * 20,
               b"\x00\x81\xff\x01x", b"\x82" * 200, b"\x10" + h2.text(b"\xff\xfe") + h2.text(b"\x00"), b"\x41\x83\xff\xff\xff", self.chance.randbytes(self.chance.randint(1, 200)), b"")
        self.frames.append(h2.frame(h2.HEADERS, h2.END_HEADERS | self.chance.choice((0, h2.END_STREAM)), self.stream(), self.chance.choice((b"", self.block())) + self.chance.choice(odd)))

    # Mutations. The preface may be hit as well.
    def at(self):
        return self.chance.randrange(len(self.frames))

    def flip(self):
        i = self.at()
        if self.frames[i]:
            changed = bytearray(self.frames[i])
            for _ in range(self.chance.choice((1, 1, 2, 8))):
                changed[self.chance.randrange(len(changed))] ^= 1 << self.chance.randrange(8)
            self.frames[i] = bytes(changed)

    def field(self, begin, end):
        i = self.at()
        if len(self.frames[i]) >= 9:
            number = self.chance.choice(HOSTILE_NUMBERS) & ((1 << 8 * (end - begin)) - 1)
            self.frames[i] = self.frames[i][:begin] + number.to_bytes(end - begin, "big") + self.frames[i][end:]

    def lengthen(self):
        self.field(0, 3)

    def retype(self):
        self.field(3, 4)

    def reflag(self):
        self.field(4, 5)

    def restream(self):
        self.field(5, 9)

    def truncate(self):
        i = self.at()
        self.frames[i] = self.frames[i][:self.chance.randint(0, len(self.frames[i]))]

    def repeat(self):
        i = self.at()
        self.frames[i:i] = [self.frames[i]] * self.chance.choice((1, 2, 50))

    def swap(self):
        i, j = self.at(), self.at()
        self.frames[i], self.frames[j] = self.frames[j], self.frames[i]

    def drop(self):
        if len(self.frames) > 1:
            del self.frames[self.at()]

    def insert(self):
        self.frames.insert(self.at(), self.chance.randbytes(self.chance.choice((1, 9, 30, 500))))

    def splice(self):
        i, j = self.at(), self.at()
        self.frames[i] = self.frames[i][:len(self.frames[i]) // 2] + self.frames[j][len(self.frames[j]) // 2:]

    def bytes(self):
        return b"".join(self.frames)[:MAX_SESSION_BYTES]


def play(target, session, tally):
    """Sends a session, in one piece or in several, and reads what comes."""
    connection = h2.Connection(target, tally, begin=False)
    if connection.open:
        data, cuts = session.bytes(), session.chance.choice((1, 1, 1, 3))
        for i in range(cuts):
            connection.send(data[len(data) * i // cuts:len(data) * (i + 1) // cuts])
            if cuts > 1:
                connection.receive()
        connection.wait(ANSWER_S, lambda frames: bool(frames))
        if session.chance.random() < 0.5:
            connection.receive()
    connection.close()


def main():
    parser = options_of(__doc__, rate=500.0, unit="sessions")
    parser.add_argument("--session", type=int, default=None, help="plays this one alone")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, Target(options.program, options.samples, folder, options.front) as target:
        tally, recent, number = h2.Tally(), [], options.session or 0
        begun = time.monotonic()
        while time.monotonic() - begun < options.seconds:
            for _ in range(BATCH if options.session is None else 1):
                recent = (recent + [number])[-KEPT_SESSIONS:]
                play(target.at, Session(seed, number, target.token, target.request.SerializeToString()), tally)
                number += 1
            if wrong := target.wrong():
                print(f"after session {number - 1} of seed {seed}: {wrong}", file=sys.stderr)
                if options.keep:
                    kept = {str(n): Session(seed, n, target.token, target.request.SerializeToString()).bytes().hex() for n in recent}
                    pathlib.Path(options.keep).mkdir(parents=True, exist_ok=True)
                    pathlib.Path(options.keep, f"transport-{seed}.json").write_text(json.dumps(kept))
                return 1
            if options.session is not None:
                break
            time.sleep(max(0, begun + number / options.rate - time.monotonic()))
        took = time.monotonic() - begun
        print(json.dumps({"fuzzer": "transport", "seed": seed, "sessions": number, "seconds": round(took, 1), "rss_grown_mb": round(target.grown() / 1e6, 1), **tally.as_dict()}), flush=True)
    if target.ended_badly:
        print(f"seed {seed}: {target.ended_badly}", file=sys.stderr)
    return 1 if target.ended_badly else 0


if __name__ == "__main__":
    sys.exit(main())
