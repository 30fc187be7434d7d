"""Connections that do nothing: half of them do not even begin HTTP/2."""
from attack_program import program


def run(attack):
    held = []
    while len(held) < attack.options.connections and attack.more():
        held.append(attack.connect(begin=len(held) % 2 == 0))
    attack.hold(held)


if __name__ == "__main__":
    program(__doc__, run, count=0, connections=1_500, megabytes=10)
