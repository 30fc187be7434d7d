#!/usr/bin/env python3
"""The table of attacks: what each sends, what it takes in memory, and what others notice, for several programs side by side.

    tests/attack/table.py --program base=PATH --program now=PATH --front now=PATH --json table.json > table.md

--program NAME=PATH is a `warmline` that is attacked on its own port, --front NAME=PATH one behind the front proxy of deploy/front. Each attack
meets a fresh server with a pool of made-up helpers. Servers and front run on one core, attackers and the caller on another (the caller, as
the servers, at a higher priority where it runs as root), so that what is measured is what the attack costs the server and not what it costs this machine.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from served import MEASURED_NICE, Front, Memory, Server, copy_of, placed  # noqa: E402
from warmline_api import Api  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SERVER_CPU, OTHER_CPU = 0, 1
POOL = "attacked"
# LEAST_S: attacks that are over sooner are made again until then.
BEFORE_S, LEAST_S, AFTER_S, SETTLE_S = 2.0, 3.0, 10.0, 1.0
RATE_PER_S = 200
MOST_TRIES = 5
MEGABYTE = 1e6
GOAL_MEGABYTES, GOAL_RATIO = 64, 2.0

# (row, program, arguments, port)
ROWS = [
    ("gzip bombs, 3 at once", "compression_bomb", [], "api"),
    ("HEADERS that never end", "endless_streams", [], "api"),
    ("CONTINUATION flood", "continuation_flood", [], "api"),
    ("CONTINUATION without a byte", "continuation_flood", ["--empty", "1", "--count", "2000"], "api"),
    ("one header of 16 MB", "huge_header", [], "api"),
    ("rapid resets", "rapid_resets", [], "api"),
    ("rapid resets of whole requests", "rapid_resets", ["--whole", "1"], "api"),
    ("messages that never end", "partial_messages", [], "api"),
    ("idle connections", "idle_connections", [], "api"),
    ("connections that come and go", "connection_churn", [], "api"),
    ("slow requests, operations port", "slow_requests", [], "operations"),
    ("slow TLS handshakes", "slow_handshakes", [], "tls"),
    ("PING flood", "ping_flood", [], "api"),
    ("SETTINGS flood", "settings_flood", [], "api"),
    ("PRIORITY flood", "priority_flood", [], "api"),
    ("WINDOW_UPDATE flood", "window_updates", [], "api"),
    ("DATA without a byte", "tiny_data", [], "api"),
    ("DATA of one byte", "tiny_data", ["--bytes", "1"], "api"),
    ("slow readers, no token", "zero_window", [], "api"),
    ("slow readers, with a token", "zero_window", ["--count", "4000"], "token"),
    ("many metadata pairs", "many_headers", [], "api"),
    ("HPACK bomb", "hpack_bomb", [], "api"),
    ("HPACK table sizes", "table_sizes", [], "api"),
    ("stream numbers", "stream_ids", [], "api"),
    ("GOAWAY games", "goaway_games", [], "api"),
    ("HTTP/1 and garbage", "http1_garbage", [], "api"),
]


class Pauses:
    """Notices when this machine stood still, or these processes did: what was measured meanwhile says nothing."""

    LOOK_S, LONGEST_S = 0.05, 0.5

    def __init__(self):
        self.longest_s, self.stopped = 0.0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        last = time.monotonic()
        while not self.stopped.wait(self.LOOK_S):
            now = time.monotonic()
            self.longest_s, last = max(self.longest_s, now - last), now

    def happened(self):
        self.stopped.set()
        self.thread.join()
        return self.longest_s > self.LONGEST_S


def quantile_ms(times, q):
    times = sorted(times)
    return round(times[min(len(times) - 1, int(len(times) * q))] * 1e3, 2) if times else None


def make_pool(program, helpers, folder):
    """A data directory with the pool in it."""
    data, rows = pathlib.Path(folder) / "pool", pathlib.Path(folder) / "pool.jsonl"
    data.mkdir()
    subprocess.run([program, "simulate", "--helpers", str(helpers), "--needs", "100", "--file", rows], check=True)
    server = Server(program, data)
    try:
        subprocess.run([program, "import", "--server", server.address, "--data-dir", data, "--pool", POOL, "--create-pool", "--vouch", rows], check=True, stdout=sys.stderr)
    finally:
        server.stop()
    return data


def certificate(folder):
    crt, key = pathlib.Path(folder) / "tls.crt", pathlib.Path(folder) / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", crt], check=True, capture_output=True)
    return crt, key


def attack_command(row, options, server, front, request):
    _, program, arguments, port = row
    target = server.ops_address if port == "operations" else (front or server).address
    command = [sys.executable, HERE / f"{program}.py", "--target", target, "--seconds", str(options.seconds), *arguments]
    if port == "token":
        command += ["--token", server.token, "--request", request.hex()]
    return [str(c) for c in command]


def on_other_core(nice):
    return lambda: placed(OTHER_CPU, nice)


def measure(row, program, fronted, options, data, folder):
    """One row for one program: a dict of figures."""
    tls = certificate(folder) if row[3] == "tls" else None
    server = Server(program, data, *(["--tls-cert-file", tls[0], "--tls-key-file", tls[1]] if tls and not fronted else []), cpu=SERVER_CPU)
    front, caller = None, None
    try:
        if fronted:
            front = Front(server.address, folder, cpu=SERVER_CPU, env={"WARMLINE_FRONT_TLS_CERT_FILE": str(tls[0])} if tls else {}, haproxy=options.haproxy)
        request = Api().make("MatchRequest", actor={"audience": 4}, parent=f"pools/{POOL}", need=f"pools/{POOL}/needs/need1", top_k=100)
        command = [sys.executable, HERE / "caller.py", "--target", (front or server).address, "--token", server.token, "--rate", str(RATE_PER_S)]
        caller = subprocess.Popen([str(c) for c in command] + (["--tls-ca-file", str(tls[0])] if tls else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=on_other_core(MEASURED_NICE))
        caller.stdout.readline()
        time.sleep(SETTLE_S)
        calm_from = time.monotonic()
        time.sleep(BEFORE_S)
        memory = Memory(*([server.pid] + ([front.pid] if front else [])))
        begun, sent, rounds = time.monotonic(), {}, 0
        while rounds == 0 or (server.alive and time.monotonic() - begun < LEAST_S):
            run = subprocess.run(attack_command(row, options, server, front, request.SerializeToString()), capture_output=True, text=True, preexec_fn=on_other_core(MEASURED_NICE + 5))
            if run.returncode:
                raise RuntimeError(f"{row[0]}: {run.stderr}")
            for key, value in json.loads(run.stdout).items():
                sent[key] = sent.get(key, 0) + value
            rounds += 1
        ended = time.monotonic()
        time.sleep(AFTER_S)
        kept = memory.now() - memory.idle
        peak = memory.stop()  # what the server still does with the attack counts too
        out, _ = caller.communicate("", 60)
        seen = json.loads(out)
        before = [took for at, took in seen["calls"] if calm_from <= at < begun]
        during = [took for at, took in seen["calls"] if begun <= at < ended + SETTLE_S]
        return {"attack": row[0], "sent_mb": round(sent["bytes_sent"] / MEGABYTE, 2), "memory_mb": round(peak / MEGABYTE, 1), "memory_after_mb": round(kept / MEGABYTE, 1),
                "p50_before_ms": quantile_ms(before, 0.5), "p99_before_ms": quantile_ms(before, 0.99), "p50_ms": quantile_ms(during, 0.5), "p99_ms": quantile_ms(during, 0.99),
                "calls": len(during), "calls_failed": sum(seen["failed"].values()), "failed": seen["failed"], "survived": server.alive and (front is None or front.alive),
                "connections": sent["connections"], "connections_refused": sent["refused"], "connections_closed": sent["closed"], "streams": sent["streams"],
                "streams_refused": sent["resets"] + sent["answers"], "seconds": round(ended - begun, 1), "rounds": rounds}
    finally:
        if caller:
            caller.kill()
            caller.wait()
        for process in (front, server):
            if process:
                process.stop()


def markdown(results, targets):
    """One line an attack, three columns a target."""
    lines = ["| attack | sent | " + " | ".join(f"{t}: memory (10 s later) | {t}: others' p99 | {t}" for t in targets) + " |",
             "|---|---|" + "---|---|---|" * len(targets)]
    for row in ROWS:
        cells = {r["target"]: r for r in results if r["attack"] == row[0]}
        if not cells:
            continue
        first = next(iter(cells.values()))
        line = f"| {row[0]} | {first['sent_mb']} MB |"
        for target in targets:
            r = cells.get(target)
            if r is None:
                line += " – | – | – |"
                continue
            mark = lambda wrong, text: f"**{text}**" if wrong else text  # noqa: E731
            memory = mark(r["memory_mb"] > GOAL_MEGABYTES, f"{r['memory_mb']} MB") + f" ({r['memory_after_mb']})"
            ratio = r["p99_ms"] / r["p99_before_ms"] if r["p99_ms"] else None
            p99 = mark(ratio is None or ratio > GOAL_RATIO, f"{r['p99_before_ms']} → {r['p99_ms']} ms" + (f" ({ratio:.1f}×)" if ratio else ""))
            end = mark(not r["survived"], "lives" if r["survived"] else "ended") + (f", {r['calls_failed']} calls failed" if r["calls_failed"] else "")
            line += f" {memory} | {p99} | {end}; {r['connections_refused']}+{r['connections_closed']} of {r['connections']} connections refused or closed |"
        lines.append(line)
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--front", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--helpers", type=int, default=50_000)
    parser.add_argument("--data", help="a data directory with the pool, made by an earlier run with --keep")
    parser.add_argument("--keep", help="where to keep the pool")
    parser.add_argument("--only", default="", help="attacks, by parts of their names, with commas between")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one attack")
    parser.add_argument("--haproxy", help="another HAProxy than the one that is installed")
    parser.add_argument("--json", help="file for the figures, a line an attack and target")
    options = parser.parse_args()
    targets = [(name, path, False) for name, path in (p.split("=", 1) for p in options.program)]
    targets += [(name + " behind the front", path, True) for name, path in (p.split("=", 1) for p in options.front)]
    if not targets:
        parser.error("name at least one --program NAME=PATH or --front NAME=PATH")
    if os.cpu_count() < 2:
        parser.error("needs two cores: one for the server, one for attackers and the caller")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        pool = options.data or make_pool(targets[0][1], options.helpers, folder)
        if options.keep:
            subprocess.run(["cp", "-r", pool, options.keep], check=True)
        for name, path, fronted in targets:
            data = copy_of(pool)
            for row in ROWS:
                if options.only and not any(part in row[0] for part in options.only.split(",")):
                    continue
                for _ in range(MOST_TRIES):
                    pauses = Pauses()
                    result = {"target": name, **measure(row, path, fronted, options, data, folder)}
                    if not pauses.happened():
                        break
                    print(f"{row[0]}: the machine stood still for {pauses.longest_s:.1f} s; once more", file=sys.stderr, flush=True)
                results.append(result)
                print(json.dumps(result), file=sys.stderr, flush=True)
                if options.json:
                    with open(options.json, "a", encoding="utf-8") as out:
                        out.write(json.dumps(result) + "\n")
    print(markdown(results, [t[0] for t in targets]))


if __name__ == "__main__":
    main()
