#!/usr/bin/env python3
"""The server behind the front proxy that is shipped: the API works through it, floods end at it. Nothing here depends on how fast it is.

front_test.py <source folder> <build folder>; ends with 77 where HAProxy or grpc for Python is missing (scripts/install-packages test).
"""
import json
import os
import pathlib
import queue
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import tempfile
import unittest
import urllib.request
import warnings

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve() / "bin/warmline")
sys.path.insert(0, str(ROOT / "tests/support"))
try:
    import grpc
    from warmline_api import Api, bearer, channel
except ImportError as missing:
    print(f"left out: {missing}; scripts/install-packages test installs it")
    sys.exit(77)
if not shutil.which(os.environ.get("HAPROXY", "haproxy")):
    print("left out: haproxy is not installed; scripts/install-packages test installs it")
    sys.exit(77)
from h2wire import DATA, END_HEADERS, END_STREAM, HEADERS, Connection, Tally, frame, loopback, message, request_block  # noqa: E402
from served import FRONT, Front, Memory, Server  # noqa: E402

OPERATOR = {"audience": 4}
MATCH = "/warmline.v1.MatchService/Match"
WAITS_S = 20
# What an attack of the sizes below may take, of server and front together.
MOST_BYTES = 64_000_000
# Few streams of an address, so that a small attack meets the limit.
LIMITS = {"WARMLINE_FRONT_MAX_CALLS_PER_ADDRESS": "64", "WARMLINE_FRONT_MAX_CONNECTIONS_PER_ADDRESS": "20", "WARMLINE_FRONT_MAX_CONNECTIONS": "200", "WARMLINE_FRONT_MAX_CALLS": "600",
          "WARMLINE_FRONT_IDLE_CLIENT": "3s",
          # Every attack of these tests comes from the same addresses: they are cut off in a test of its own alone.
          "WARMLINE_FRONT_MAX_UNFINISHED_PER_ADDRESS": "1000000"}


class Fronted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = pathlib.Path(cls.folder.name) / "data"
        cls.data.mkdir()
        cls.server = Server(PROGRAM, cls.data)
        subprocess.run([PROGRAM, "import", "--server", cls.server.address, "--data-dir", cls.data, "--pool", "city", "--create-pool", ROOT / "samples/community.jsonl"], check=True, capture_output=True)
        cls.front = Front(cls.server.address, cls.folder.name, env=LIMITS)
        cls.api, cls.channel, cls.token = Api(), channel(cls.front.address), cls.server.token

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.front.stop()
        cls.server.stop()
        cls.folder.cleanup()

    def call(self, rpc, request, token=None, through=None, **how):
        return self.api.stub(through or self.channel, rpc)(request, metadata=bearer(self.token if token is None else token), timeout=how.pop("timeout", WAITS_S), **how)

    def match(self, **fields):
        return self.api.make("MatchRequest", actor=OPERATOR, parent="pools/city", **{"need": "pools/city/needs/amina-first-job", **fields})

    def refused(self, *arguments, **how):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call(*arguments, **how)
        return caught.exception

    def count(self, method, code):
        found = re.search(rf'^warmline_rpc_seconds_count{{code="{code}",method="warmline.v1.{method}"}} (\d+)', self.server.page("/metrics")[1], re.M)
        return int(found[1]) if found else 0


class TheApiThroughTheFront(Fronted):
    def test_a_match_is_the_same_as_without_the_front(self):
        direct = channel(self.server.address)
        self.assertEqual(self.call("MatchService/Match", self.match()), self.call("MatchService/Match", self.match(), through=direct))
        direct.close()

    def test_both_sides_of_a_stream_take_turns(self):
        waiting = queue.Queue()
        answers = self.call("MatchService/MatchStream", iter(waiting.get, None))
        for number in range(20):
            waiting.put(self.match(top_k=number % 10 + 1))
            self.assertEqual(next(answers).request, number)
        waiting.put(None)
        self.assertEqual(list(answers), [])
        self.assertEqual(answers.code(), grpc.StatusCode.OK)

    def test_a_watch_pushes_and_its_end_reaches_the_server(self):
        ended = self.count("MatchService/Watch", "CANCELLED")
        watch = self.call("MatchService/Watch", self.api.make("WatchMatchesRequest", actor=OPERATOR, parent="pools/city", need="pools/city/needs/amina-first-job"))
        self.assertTrue(next(watch).ListFields())
        watch.cancel()
        end = time.monotonic() + WAITS_S
        while self.count("MatchService/Watch", "CANCELLED") == ended and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.count("MatchService/Watch", "CANCELLED"), ended + 1)

    def test_an_import_of_many_messages_larger_than_every_buffer(self):
        def rows():
            for i in range(20):
                yield self.api.make("ImportRequest", actor=OPERATOR, parent="pools/city", rows=[{"member": {"name": f"many-{i}-{j}", "kind": 1, "display_name": "M" * 150}} for j in range(500)])
        done = self.call("MemberService/Import", rows())
        self.assertEqual((done.imported, done.refused), (10_000, 0))

    def test_an_export_larger_than_every_buffer(self):
        direct = channel(self.server.address)
        request = self.api.make("ExportRequest", actor=OPERATOR, parent="pools/city")
        self.assertEqual(list(self.call("MemberService/Export", request)), list(self.call("MemberService/Export", request, through=direct)))
        direct.close()

    def test_errors_keep_their_code_text_and_details(self):
        wrong = self.refused("MatchService/Match", self.match(top_k=5000))
        self.assertEqual(wrong.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("top_k", wrong.details())
        self.assertIn("grpc-status-details-bin", dict(wrong.trailing_metadata()))
        self.assertEqual(self.refused("MatchService/Match", self.match(), token="").code(), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(self.refused("MatchService/Match", self.match(), token="x" * 20).code(), grpc.StatusCode.UNAUTHENTICATED)

    def test_a_stream_of_requests_that_is_refused_early(self):
        """Releases before 3.2 reset the stream with or after the answer: the caller sees that it failed, and not always why (deploy/front/README.md)."""
        rows = (self.api.make("ImportRequest", actor=OPERATOR, parent="pools/city") for _ in range(1000))
        wrong = self.refused("MemberService/Import", rows, token="x" * 20)
        version = subprocess.run([os.environ.get("HAPROXY", "haproxy"), "-v"], capture_output=True, text=True, check=True).stdout
        known = tuple(map(int, re.search(r"version (\d+)\.(\d+)", version).groups())) >= (3, 2)
        self.assertIn(wrong.code(), (grpc.StatusCode.UNAUTHENTICATED,) if known else (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE))

    def test_a_message_over_the_limit_is_refused_by_the_server(self):
        large = self.match().SerializeToString() + b"\x72\x00" * 3_000_000  # an unknown field, again and again
        self.assertEqual(self.refused("MatchService/Match", large).code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_a_deadline_travels(self):
        watch = self.call("MatchService/Watch", self.api.make("WatchMatchesRequest", actor=OPERATOR, parent="pools/city", need="pools/city/needs/amina-first-job"), timeout=2)
        with self.assertRaises(grpc.RpcError) as caught:
            list(watch)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_a_refusal_of_the_server_says_when_to_try_again(self):
        """Trailers that the server adds pass as they are: grpc-retry-pushback-ms is one, the details with RetryInfo another."""
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            data.mkdir()
            tokens = data / "tokens.json"
            tokens.write_text(json.dumps({"tokens": [{"name": "slow", "token": "a-token-of-the-test", "roles": ["operator"], "audiences": ["OPERATOR"], "pools": ["*"], "calls_per_second": 0.1}]}))
            server = Server(PROGRAM, data, "--tokens-file", tokens)
            front = Front(server.address, folder)
            through = channel(front.address)
            try:
                request = self.api.make("ListPoolsRequest", actor=OPERATOR)
                with self.assertRaises(grpc.RpcError) as caught:
                    for _ in range(3):
                        self.call("PoolService/ListPools", request, token="a-token-of-the-test", through=through)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
                direct = channel(server.address)
                with self.assertRaises(grpc.RpcError) as bare:
                    self.call("PoolService/ListPools", request, token="a-token-of-the-test", through=direct)
                direct.close()
                self.assertEqual({k for k, _ in caught.exception.trailing_metadata()} - {"content-length"}, {k for k, _ in bare.exception.trailing_metadata()})
            finally:
                through.close()
                front.stop()
                server.stop()

    def test_health_and_reflection_pass(self):
        health = self.channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=bytes, response_deserializer=bytes)
        self.assertEqual(health(b"", timeout=WAITS_S), b"\x08\x01")  # SERVING
        reflect = self.channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", request_serializer=bytes, response_deserializer=bytes)
        self.assertIn(b"warmline.v1.MatchService", next(reflect(iter([b"\x3a\x01*"]), timeout=WAITS_S)))  # list_services

    def test_the_configuration_names_every_rpc_that_takes_many_requests(self):
        named = set(re.search(r"acl takes_many_requests path (.*)", FRONT.read_text())[1].split())
        self.assertEqual(named, {"/" + name for name, (_, client_streams, _) in self.api.rpcs.items() if client_streams})

    def test_the_front_itself_is_watched(self):
        with urllib.request.urlopen(f"http://{self.front.status_address}/livez", timeout=WAITS_S) as answer:
            self.assertEqual(answer.status, 200)
        with urllib.request.urlopen(f"http://{self.front.status_address}/metrics", timeout=WAITS_S) as answer:
            self.assertIn("haproxy_frontend_current_sessions", answer.read().decode())

    def test_a_server_that_is_away_is_unavailable_and_not_a_page(self):
        with tempfile.TemporaryDirectory() as folder:
            front = Front("127.0.0.1:1", folder)
            through = channel(front.address)
            away = self.refused("MatchService/Match", self.match(), through=through)
            self.assertEqual(away.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertIn("the server does not answer", away.details())
            through.close()
            front.stop()

    def test_tls_ends_at_the_front_and_certificates_are_checked_there(self):
        with tempfile.TemporaryDirectory() as folder:
            here = pathlib.Path(folder)
            for name in ("tls", "other"):
                self.make_certificate(here, name, name)
            # The client shows the server's own certificate, which is its own authority here.
            env = {"WARMLINE_FRONT_TLS_CERT_FILE": str(here / "tls.crt"), "WARMLINE_FRONT_TLS_CLIENT_CA_FILE": str(here / "tls.crt")}
            front = Front(self.server.address, folder, env=env)
            root, key = (here / "tls.crt").read_bytes(), (here / "tls.key").read_bytes()
            try:
                for credentials, good in ((grpc.ssl_channel_credentials(root, key, root), True), (grpc.ssl_channel_credentials(root), False),
                                          (grpc.ssl_channel_credentials(root, (here / "other.key").read_bytes(), (here / "other.crt").read_bytes()), False)):
                    through = channel(front.address, credentials)
                    if good:
                        self.assertTrue(self.call("MatchService/Match", self.match(), through=through).matches)
                    else:
                        self.assertEqual(self.refused("MatchService/Match", self.match(), through=through).code(), grpc.StatusCode.UNAVAILABLE)
                    through.close()
                old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    old.maximum_version = ssl.TLSVersion.TLSv1_1
                with socket.create_connection(loopback(front.address)) as plain, self.assertRaises((ssl.SSLError, OSError)):
                    old.wrap_socket(plain)
            finally:
                front.stop()


    def test_a_certificate_is_exchanged_while_connections_go_on(self):
        with tempfile.TemporaryDirectory() as folder:
            here = pathlib.Path(folder)
            self.make_certificate(here, "tls", "first")
            env = {"WARMLINE_FRONT_TLS_CERT_FILE": str(here / "tls.crt"), "WARMLINE_FRONT_RUN_DIR": folder, "WARMLINE_FRONT_LUA": str(FRONT.parent / "certificates.lua"), "WARMLINE_FRONT_RELOAD_MS": "200"}
            front = Front(self.server.address, folder, env=env)
            try:
                old = channel(front.address, grpc.ssl_channel_credentials((here / "tls.crt").read_bytes()))
                self.assertTrue(self.call("MatchService/Match", self.match(), through=old).matches)
                first = ssl.get_server_certificate(loopback(front.address))
                self.make_certificate(here, "next", "second")
                # Half of an exchange changes nothing: the certificate is there before its key.
                shutil.copy(here / "next.crt", here / "tls.crt")
                self.until(lambda: "is refused" in front.text())
                self.assertEqual(ssl.get_server_certificate(loopback(front.address)), first)
                shutil.copy(here / "next.key", here / "tls.key")
                self.until(lambda: ssl.get_server_certificate(loopback(front.address)) == (here / "next.crt").read_text())
                self.assertTrue(self.call("MatchService/Match", self.match(), through=old).matches)
                new = channel(front.address, grpc.ssl_channel_credentials((here / "next.crt").read_bytes()))
                self.assertTrue(self.call("MatchService/Match", self.match(), through=new).matches)
                old.close()
                new.close()
            finally:
                front.stop()

    def until(self, done):
        end = time.monotonic() + WAITS_S
        while not done():
            self.assertLess(time.monotonic(), end, "it did not happen")
            time.sleep(0.1)

    @staticmethod
    def make_certificate(folder, name, subject):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={subject}", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"], check=True, capture_output=True)


class FloodsEndAtTheFront(Fronted):
    """Each attack program in small: both processes live, memory stays within bounds, a caller elsewhere is answered."""

    def attack(self, program, *arguments):
        memory = Memory(self.server.pid, self.front.pid)
        command = [sys.executable, ROOT / f"tests/attack/{program}.py", "--target", self.front.address, "--seconds", "2", *map(str, arguments)]
        with subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            self.asked = 1
            while run.poll() is None:  # others are answered meanwhile
                self.assertTrue(self.call("MatchService/Match", self.match()).matches)
                self.asked += 1
                time.sleep(0.05)
            out, why = run.communicate()
        self.assertEqual(run.returncode, 0, why)
        took = memory.stop()
        self.assertTrue(self.server.alive, self.server.text()[-2000:])
        self.assertTrue(self.front.alive, self.front.text()[-2000:])
        self.assertLess(took, MOST_BYTES, program)
        self.assertTrue(self.call("MatchService/Match", self.match()).matches)
        return json.loads(out)

    def calls_that_reached_the_server(self):
        return sum(int(n) for n in re.findall(r"^warmline_rpc_seconds_count{.*MatchService/Match\"} (\d+)", self.server.page("/metrics")[1], re.M))

    def test_streams_that_never_end_stop_at_the_limit_and_reach_nobody(self):
        before = self.calls_that_reached_the_server()
        seen = self.attack("endless_streams", "--count", 4000, "--connections", 20, "--addresses", 2)
        self.assertGreaterEqual(seen["answers"] + seen["resets"], 4000 - 2 * 64)
        self.assertEqual(self.calls_that_reached_the_server(), before + self.asked)

    def test_who_goes_on_is_cut_off_and_others_are_not(self):
        with tempfile.TemporaryDirectory() as folder:
            front = Front(self.server.address, folder, env={**LIMITS, "WARMLINE_FRONT_MAX_UNFINISHED_PER_ADDRESS": "200"})
            through = channel(front.address)
            try:
                seen = self.attack("endless_streams", "--target", front.address, "--count", 20_000, "--connections", 10, "--addresses", 2)
                self.assertGreater(seen["closed"], 0)
                late = Tally()
                Connection(loopback(front.address), late, source="127.66.0.1").wait(2)
                self.assertEqual(late.refused, 1)
                self.assertTrue(self.call("MatchService/Match", self.match(), through=through).matches)
            finally:
                through.close()
                front.stop()

    def test_resets_reach_nobody(self):
        before = self.calls_that_reached_the_server()
        self.assertEqual(self.attack("rapid_resets", "--count", 10_000)["streams"], 10_000)
        self.assertEqual(self.calls_that_reached_the_server(), before + self.asked)

    def test_half_messages_reach_nobody(self):
        before = self.calls_that_reached_the_server()
        self.attack("partial_messages", "--count", 2000, "--connections", 20, "--addresses", 2)
        self.assertEqual(self.calls_that_reached_the_server(), before + self.asked)

    def test_resets_of_whole_requests(self):
        self.attack("rapid_resets", "--count", 10_000, "--whole", 1)

    def test_continuation_closes_the_connection(self):
        # Frames without a byte fill no buffer: they cost time alone, and no more than until the header block is late.
        self.attack("continuation_flood", "--count", 200, "--connections", 4, "--megabytes", 20, "--empty", 1)
        for program in ("continuation_flood", "huge_header", "hpack_bomb"):
            seen = self.attack(program, "--count", 200, "--megabytes", 20)
            self.assertGreaterEqual(seen["closed"] + seen["refused"], 4, program)

    def test_connections_of_one_address_stop_at_the_limit(self):
        seen = self.attack("idle_connections", "--connections", 60, "--addresses", 2, "--seconds", 4)
        self.assertGreaterEqual(seen["refused"] + seen["closed"], 60 - 2 * 20)

    def test_floods_of_frames(self):
        for program in ("ping_flood", "settings_flood", "priority_flood", "window_updates", "tiny_data"):
            with self.subTest(program):
                self.attack(program, "--count", 100_000, "--seconds", 2)

    def test_slow_readers_and_many_headers(self):
        for program in ("zero_window", "many_headers", "table_sizes"):
            with self.subTest(program):
                self.attack(program, "--count", 1000, "--seconds", 2)

    def test_what_is_not_http2_is_closed(self):
        seen = self.attack("http1_garbage", "--count", 300, "--seconds", 4)
        self.assertEqual(seen["refused"] + seen["closed"], seen["connections"])
        for program in ("stream_ids", "goaway_games"):
            with self.subTest(program):
                self.attack(program, "--count", 300, "--seconds", 2)

    def test_over_the_limit_a_stranger_is_told_when_to_try_again(self):
        """The front's own refusal is RESOURCE_EXHAUSTED in a header block that ends the stream, with grpc-retry-pushback-ms."""
        tally = Tally()
        held = [Connection(loopback(self.front.address), tally, source="127.66.1.1") for _ in range(2)]
        for connection in held:
            connection.send(b"".join(frame(HEADERS, END_HEADERS, connection.stream(), request_block(MATCH)) for _ in range(50)))
        for _ in range(50):  # until the front has counted what the others hold
            late = Connection(loopback(self.front.address), tally, source="127.66.1.1")
            number = late.stream()
            late.send(frame(HEADERS, END_HEADERS, number, request_block(MATCH)) + frame(DATA, END_STREAM, number, message(b"")))
            frames = late.wait(WAITS_S, lambda seen: any(f[0] == HEADERS for f in seen))
            kind, flags, stream, payload = next(f for f in frames if f[0] == HEADERS)
            self.assertEqual((stream, flags & END_STREAM), (number, END_STREAM))
            if b"grpc-retry-pushback-ms" in payload.lower() + unhuffed(payload):
                break
            late.close()
            time.sleep(0.1)
        self.assertIn(b"grpc-retry-pushback-ms", payload.lower() + unhuffed(payload))
        for connection in (*held, late):
            connection.close()

    def test_a_connection_that_says_nothing_ends_and_a_quiet_watch_does_not(self):
        watch = self.call("MatchService/Watch", self.api.make("WatchMatchesRequest", actor=OPERATOR, parent="pools/city", need="pools/city/needs/amina-first-job"), timeout=60)
        next(watch)
        silent = Connection(loopback(self.front.address), Tally(), source="127.66.1.3", begin=False)
        silent.wait(WAITS_S)
        self.assertFalse(silent.open)
        time.sleep(4)
        self.assertTrue(watch.is_active())
        watch.cancel()

    def test_a_request_that_does_not_come_ends(self):
        """After ten seconds: what is asserted is that it ends, and how."""
        connection = Connection(loopback(self.front.address), Tally(), source="127.66.1.2")
        connection.send(frame(HEADERS, END_HEADERS, connection.stream(), request_block(MATCH)))
        frames = connection.wait(WAITS_S, lambda seen: any(f[0] == HEADERS and f[1] & END_STREAM for f in seen))
        self.assertTrue(any(f[0] == HEADERS and f[1] & END_STREAM for f in frames))
        connection.close()


def unhuffed(block):
    """The names and values of a header block, with a table of its own: Debian's python3-hpack."""
    import hpack
    return b" ".join(name + b"=" + value for name, value in hpack.Decoder().decode(block, raw=True))


if __name__ == "__main__":
    unittest.main(verbosity=2)
