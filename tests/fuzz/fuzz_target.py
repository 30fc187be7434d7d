"""The server under a fuzzer: with the sample community, tokens of every role, and the question whether all is well with it."""
import argparse
import json
import pathlib
import subprocess

import grpc
from h2wire import loopback
from served import Front, Server, rss_bytes
from warmline_api import Api, bearer, channel

ROLES = ("reader", "matcher", "member-writer", "introducer", "operator")
OPERATOR = {"audience": 4}
FINDINGS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "terminate called", "Check failed", "ASSERTION FAILED")
# The pool that is asked about at the end is written by nobody: tokens of the fuzzer reach other pools.
FUZZED_POOL, KEPT_POOL = "pools/city", "pools/kept"


def tokens_file(path):
    """A token of each role for the pool that is fuzzed; one of an operator for all."""
    grants = [{"name": role, "token": f"fuzzer-token-{role}", "roles": [role], "audiences": ["SEEKER", "INTRODUCER", "HELPER", "OPERATOR"], "pools": ["city"], "members": ["*"]} for role in ROLES]
    grants.append({"name": "caller", "token": "fuzzer-token-caller", "roles": ["operator"], "audiences": ["OPERATOR"], "pools": ["*"]})
    path.write_text(json.dumps({"tokens": grants}))
    return path


def options_of(description, rate, unit):
    """The parser of what every fuzzer takes; `rate` is of `unit` a second. A fuzzer adds options of its own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="warmline; it is started on a port of its own")
    parser.add_argument("--samples", default=str(pathlib.Path(__file__).resolve().parent.parent.parent / "samples/community.jsonl"))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=rate, help=f"{unit} a second at most")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--front", action="store_true", help="behind the front proxy")
    parser.add_argument("--keep", default="", help="folder for findings, and for what came before a failure")
    return parser


class Target:
    def __init__(self, program, samples, folder, front=False):
        data = pathlib.Path(folder) / "data"
        data.mkdir()
        self.server = Server(program, data, "--tokens-file", tokens_file(data / "tokens.json"))
        self.front = Front(self.server.address, folder) if front else None
        self.address = (self.front or self.server).address
        self.at, self.token, self.api = loopback(self.address), "fuzzer-token-matcher", Api()
        for pool in (FUZZED_POOL, KEPT_POOL):
            subprocess.run([program, "import", "--server", self.server.address, "--data-dir", data, "--token", "fuzzer-token-caller", "--pool", pool.split("/")[1],
                            "--create-pool", samples], check=True, capture_output=True)
        self.channel = channel(self.address)
        self.request = self.api.make("MatchRequest", actor=OPERATOR, parent=FUZZED_POOL, need=FUZZED_POOL + "/needs/amina-first-job")
        self.good = self.api.make("MatchRequest", actor=OPERATOR, parent=KEPT_POOL, need=KEPT_POOL + "/needs/amina-first-job", count_rules=True)
        self.moment, self.answer = self.ask()
        self.idle = rss_bytes(self.server.pid)
        # Known after `with`: what was wrong at its end, as leaks that a sanitizer finds.
        self.ended_badly = ""

    def ask(self):
        """What a good caller gets, beside the moment that it holds for: scores are those of an hour and of a count of the pool."""
        answer = self.api.stub(self.channel, "MatchService/Match")(self.good, metadata=bearer("fuzzer-token-caller"), timeout=20)
        moment = answer.epoch, answer.statistics_generation
        answer.revision = ""
        return moment, answer.SerializeToString(deterministic=True)

    def grown(self):
        return rss_bytes(self.server.pid) - self.idle

    def wrong(self):
        """Empty when all is well, or what is not."""
        if not self.server.alive:
            return f"the server ended with {self.server.process.returncode}:\n{self.server.text()[-4000:]}"
        if self.front and not self.front.alive:
            return f"the front ended with {self.front.process.returncode}:\n{self.front.text()[-4000:]}"
        if found := [f for f in FINDINGS if f in self.server.text()]:
            return f"the server's log has {found}:\n{self.server.text()[-4000:]}"
        for page in ("/livez", "/readyz"):
            status, text = self.server.page(page)
            if status != 200:
                return f"{page} answers {status}: {text}"
        try:
            moment, answer = self.ask()
            if moment != self.moment:
                self.moment, self.answer = moment, answer
            elif answer != self.answer:
                return "a good call has another answer than before"
        except grpc.RpcError as error:
            return f"a good call failed: {error.code()} {error.details()}"
        return ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        if self.front:
            self.front.stop()
        code = self.server.stop()
        if found := [f for f in FINDINGS if f in self.server.text()]:
            self.ended_badly = f"the server's log has {found} at its end:\n{self.server.text()[-4000:]}"
        elif code != 0:
            self.ended_badly = f"the server ended with {code}:\n{self.server.text()[-4000:]}"
