#!/usr/bin/env python3
"""A fuzzer over every rpc: messages valid in structure and hostile in values, mutated bytes, tokens of every role and none.

    tests/fuzz/rpc_fuzzer.py --program build/release/bin/warmline --seconds 600 --seed 7

No answer may be INTERNAL or UNKNOWN, but for bytes that protobuf refuses, and for those none may be UNIMPLEMENTED. The server must live, say ready, and give a good caller the
same bytes as at first. Requests that break this are printed, kept in --keep, and played again with --replay FILE.
"""
import collections
import json
import os
import pathlib
import random
import sys
import tempfile
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
try:
    import grpc
    from fuzz_target import ROLES, Target, options_of
    from messages import Maker
    from warmline_api import bearer
except ImportError as missing:
    print(f"left out: {missing}; scripts/install-packages test installs it")
    sys.exit(77)

BATCH = 100
DEADLINE_S = 10
MAX_ANSWERS = 20
BUGS = ("INTERNAL", "UNKNOWN", "DATA_LOSS")
RECENT = 300
# Erasure of the whole pool, and calls that last, would leave nothing to fuzz: they are rarer.
RARER = ("EraseMember", "Assign", "Watch", "Export")


class Fuzzer:
    def __init__(self, target, seed):
        self.target, self.chance = target, random.Random(seed)
        self.maker = Maker(self.chance, target.api)
        self.names = sorted(target.api.rpcs)
        self.stubs = {name: target.api.stub(target.channel, name.removeprefix("warmline.v1.")) for name in self.names}
        self.codes, self.findings, self.recent = collections.Counter(), [], collections.deque(maxlen=RECENT)
        self.sent = 0

    def parses(self, name, data):
        try:
            self.target.api.request_type(name).FromString(data)
            return True
        except Exception:  # protobuf's own, whichever implementation  # noqa: BLE001
            return False

    def one(self):
        name = self.chance.choice(self.names)
        if any(r in name for r in RARER) and self.chance.random() < 0.7:
            return
        many = self.target.api.rpcs[name][1]
        count = self.chance.choice((0, 1, 1, 2, 5)) if many else 1
        payloads = []
        for _ in range(count):
            payloads.append(self.maker.bytes(self.maker.request(self.target.api.request_type(name))))
        token = self.chance.choice(["fuzzer-token-operator"] * 6 + [f"fuzzer-token-{r}" for r in ROLES] + ["", "wrong-token-of-nobody"])
        self.play(name, payloads, token, "gzip" if self.chance.random() < 0.06 else None)

    def play(self, name, payloads, token, compression=None):
        record = {"rpc": name, "token": token, "payloads": [p.hex() for p in payloads], "compression": compression}
        self.recent.append(record)
        _, many, streams = self.target.api.rpcs[name]
        # Watches go on for ever: a look at the first answers.
        deadline = 0.3 if name.endswith("/Watch") else DEADLINE_S
        how = {"metadata": bearer(token), "timeout": deadline, "compression": grpc.Compression.Gzip if compression else None}
        code, text = "OK", ""
        call = None
        try:
            call = self.stubs[name](iter(payloads) if many else payloads[0], **how)
            if streams:
                for i, answer in enumerate(call):
                    self.maker.remember(answer)
                    if i >= MAX_ANSWERS:
                        call.cancel()
                        break
            else:
                self.maker.remember(call)
        except grpc.RpcError as error:
            code, text = error.code().name, error.details() or ""
        self.sent += 1
        self.codes[f"{name.split('/')[0].split('.')[-1]}/{name.split('/')[1]} {code}"] += 1
        # gRPC's codes for what protobuf refuses are INVALID_ARGUMENT and INTERNAL; UNIMPLEMENTED is for a compression, or an rpc, that is not known.
        wrong = code in BUGS if all(self.parses(name, p) for p in payloads) else code == "UNIMPLEMENTED" and not compression
        if wrong:
            self.findings.append({**record, "code": code, "text": text})


def quiet():
    """protobuf writes a line for each text that is not UTF-8: the program's own messages go on to where standard error was."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore", RuntimeWarning)


def main():
    parser = options_of(__doc__, rate=2000.0, unit="calls")
    parser.add_argument("--replay", default="", help="a file of --keep: its requests alone, in order")
    options = parser.parse_args()
    quiet()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    failed = ""
    with tempfile.TemporaryDirectory() as folder, Target(options.program, options.samples, folder, options.front) as target:
        fuzzer, begun = Fuzzer(target, seed), time.monotonic()
        if options.replay:
            for r in json.loads(pathlib.Path(options.replay).read_text()):
                fuzzer.play(r["rpc"], [bytes.fromhex(p) for p in r["payloads"]], r["token"], r.get("compression"))
            failed = target.wrong()
        while not options.replay and not failed and time.monotonic() - begun < options.seconds:
            for _ in range(BATCH):
                fuzzer.one()
            failed = target.wrong()
            time.sleep(max(0, begun + fuzzer.sent / options.rate - time.monotonic()))
        kinds = collections.Counter((f["code"], f["text"][:160]) for f in fuzzer.findings)
        for (code, text), count in kinds.most_common(20):
            rpcs = sorted({f["rpc"].removeprefix("warmline.v1.") for f in fuzzer.findings if (f["code"], f["text"][:160]) == (code, text)})
            print(f"FINDING {code} {text!r}: {count} times, {len(rpcs)} rpcs: {' '.join(rpcs[:5])}", file=sys.stderr)
        if failed:
            print(f"seed {seed}, after {fuzzer.sent} calls: {failed}", file=sys.stderr)
        if options.keep and (failed or fuzzer.findings):
            pathlib.Path(options.keep).mkdir(parents=True, exist_ok=True)
            pathlib.Path(options.keep, f"rpc-{seed}.json").write_text(json.dumps(list(fuzzer.recent) if failed else fuzzer.findings, indent=1))
        codes = collections.Counter()
        for key, count in fuzzer.codes.items():
            codes[key.split(" ")[1]] += count
        reached = {key.split(" ")[0] for key in fuzzer.codes if key.endswith(" OK")}
        print(json.dumps({"fuzzer": "rpc", "seed": seed, "calls": fuzzer.sent, "seconds": round(time.monotonic() - begun, 1), "codes": dict(codes), "rpcs": len({k.split(" ")[0] for k in fuzzer.codes}),
                          "rpcs_with_ok": len(reached), "never_ok": sorted({n.split(".")[-1] for n in fuzzer.names} - reached), "findings": len(fuzzer.findings),
                          "rss_grown_mb": round(target.grown() / 1e6, 1)}), flush=True)
    if target.ended_badly and not failed:
        print(f"seed {seed}: {target.ended_badly}", file=sys.stderr)
    return 1 if failed or fuzzer.findings or target.ended_badly else 0


if __name__ == "__main__":
    sys.exit(main())
