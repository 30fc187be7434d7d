"""Connections that begin, ask for one stream and are gone."""
from attack_program import MATCH, program
from h2wire import END_HEADERS, HEADERS, frame, request_block


def run(attack):
    headers = frame(HEADERS, END_HEADERS, 1, request_block(MATCH))
    for _ in range(attack.options.count):
        if not attack.more():
            break
        connection = attack.connect()
        connection.send(headers)
        connection.close()


if __name__ == "__main__":
    program(__doc__, run, count=20_000, connections=1, megabytes=20)
