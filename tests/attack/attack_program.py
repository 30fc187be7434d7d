"""What attack programs have in common: options, bounds in bytes and time, addresses to come from, and a line of JSON at the end."""
import argparse
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from h2wire import Connection, Tally, loopback  # noqa: E402

# Attackers come from these; callers from 127.0.0.1. So a limit by address does not hit both.
ATTACKERS = "127.66.0."
MATCH = "/warmline.v1.MatchService/Match"
MATCH_STREAM = "/warmline.v1.MatchService/MatchStream"
# A connection that is closed is made anew at most this often for each that was asked for.
RECONNECTS = 50


class Attack:
    """The bounds of one run."""

    def __init__(self, options):
        self.options, self.tally = options, Tally()
        self.target = loopback(options.target)
        self.end = time.monotonic() + options.seconds
        self.max_bytes = int(options.megabytes * 1e6)
        self.made = 0

    def more(self):
        return time.monotonic() < self.end and self.tally.bytes_sent < self.max_bytes

    def source(self):
        self.made += 1
        return f"{ATTACKERS}{self.made % self.options.addresses + 1}"

    def connect(self, **how):
        return Connection(self.target, self.tally, source=self.source(), tls=self.options.tls, **how)

    def flood(self, block, count, connections=None, **how):
        """Sends block(connection, i) for i in [0, count) over connections in turn, and makes those anew that are closed; then holds."""
        wanted = connections or self.options.connections
        held, reconnects, sent = [self.connect(**how) for _ in range(wanted)], wanted * RECONNECTS, 0
        while sent < count and self.more():
            for at, connection in enumerate(held):
                if sent >= count or not self.more():
                    break
                if not connection.open:
                    if reconnects == 0:
                        continue
                    reconnects -= 1
                    connection.close()
                    held[at] = connection = self.connect(**how)
                    if not connection.open:
                        time.sleep(0.01)
                        continue
                if not connection.send(block(connection, sent)) and connection.open:
                    connection.close()  # no longer read: an attacker begins anew
                sent += 1
            if not any(c.open for c in held) and reconnects == 0:
                break
        self.hold(held)

    def hold(self, connections):
        """Keeps connections open until the time is over, reading where they read."""
        while time.monotonic() < self.end and any(c.open for c in connections):
            for connection in connections:
                if connection.open and connection.reads:
                    connection.receive()
            time.sleep(0.05)
        for connection in connections:
            connection.close()


def program(description, run, *, count, connections, megabytes, seconds=10.0, **more):
    """The main function of an attack: run(attack) with these defaults; more: further options with their defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--target", required=True, help="127.x.x.x:port")
    parser.add_argument("--tls", action="store_true", help="over TLS")
    parser.add_argument("--count", type=int, default=count, help="how many streams, frames or blocks")
    parser.add_argument("--connections", type=int, default=connections)
    parser.add_argument("--addresses", type=int, default=8, choices=range(1, 251), metavar="1..250", help="loopback addresses to come from")
    parser.add_argument("--megabytes", type=float, default=megabytes, help="bytes sent at most, in 10^6")
    parser.add_argument("--seconds", type=float, default=seconds, help="time at most")
    parser.add_argument("--token", default="", help="of a caller who is let in; most attacks need none")
    parser.add_argument("--pool", default="attacked")
    for name, default in more.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    attack = Attack(parser.parse_args())
    begun = time.monotonic()
    run(attack)
    print(json.dumps({**attack.tally.as_dict(), "seconds": round(time.monotonic() - begun, 2)}), flush=True)
