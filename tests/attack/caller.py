#!/usr/bin/env python3
"""A well-behaved caller: matches at an even, low rate over gRPC, and how long each took. Prints one line of JSON when it ends.

The rate does not wait for answers: a slow answer delays no later call, and each time is taken from when the call was due.
"""
import argparse
import json
import pathlib
import sys
import threading
import time

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from warmline_api import Api, bearer, channel  # noqa: E402

DEADLINE_S = 5.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--pool", default="attacked")
    parser.add_argument("--needs", type=int, default=100)
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--tls-ca-file")
    options = parser.parse_args()
    api, md, done = Api(), bearer(options.token), []
    credentials = grpc.ssl_channel_credentials(pathlib.Path(options.tls_ca_file).read_bytes()) if options.tls_ca_file else None
    calls, failed, lock = api.stub(channel(options.target, credentials), "MatchService/Match"), {}, threading.Lock()

    def ended(due, call):
        took = time.perf_counter() - due
        with lock:
            done.append((time.monotonic(), took))
            if call.code().value[0] != 0:
                failed[call.code().name] = failed.get(call.code().name, 0) + 1

    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()  # until standard input ends
    begin, sent = time.perf_counter(), 0
    while not stop.is_set():
        due = begin + sent / options.rate
        if (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        need = f"pools/{options.pool}/needs/need{sent % options.needs}"
        call = calls.future(api.make("MatchRequest", actor={"audience": 4}, parent=f"pools/{options.pool}", need=need), metadata=md, timeout=DEADLINE_S)
        call.add_done_callback(lambda c, due=due: ended(due, c))
        sent += 1
        if sent == 1:
            print("begun", flush=True)
    time.sleep(0.2)
    with lock:
        print(json.dumps({"sent": sent, "failed": failed, "calls": done}), flush=True)


if __name__ == "__main__":
    main()
