"""What is not HTTP/2: requests of HTTP/1, an upgrade, TLS, random bytes, and lines that never end."""
import random

from attack_program import program


def run(attack):
    chance = random.Random(attack.options.seed)
    pieces = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 50, b"POST /warmline.v1.MatchService/Match HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n" + bytes(8000),
              b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
              b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r" + b"x" * 4000, b"A" * 60_000, b"\r\n" * 5_000]

    def block(_, at):
        return pieces[at % len(pieces)] if at % 2 else chance.randbytes(4_000)
    attack.flood(block, attack.options.count, begin=False)


if __name__ == "__main__":
    program(__doc__, run, count=6_000, connections=20, megabytes=60, seed=16)
