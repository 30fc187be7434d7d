#!/usr/bin/env python3
"""Real data, end to end: a Stack Exchange dump becomes a pool, and 1,000 real questions are matched over gRPC."""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

root, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
data = root.parent / "shared/data/travel_se"
if not data.exists():
    print(f"skipped: the real data set is not here ({data.relative_to(root.parent)} beside the repository)")
    sys.exit(77)

program = str(build / "bin/warmline")
with tempfile.TemporaryDirectory() as directory:
    made = subprocess.run([sys.executable, str(root / "tests/quality/travel_se.py"), "--data", str(data), "--out", directory], check=True, capture_output=True, text=True)
    counts = json.loads(made.stdout)
    server = subprocess.Popen([program, "serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        address = None
        for line in server.stderr:
            if found := re.search(r"listens on port (\d+) ", line):
                address = f"127.0.0.1:{found[1]}"
                break
        assert address, "the server did not start"
        imported = subprocess.run([program, "import", "--server", address, "--data-dir", directory, "--pool", "travel", "--create-pool", "--output", "json",
                                   f"{directory}/members.jsonl", f"{directory}/needs.jsonl"], capture_output=True, text=True)
        assert imported.returncode == 0, imported.stderr
        report = json.loads(imported.stdout)
        assert report["refused"] == 0 and report["imported"] == counts["members"] + counts["needs"]
        matched = subprocess.run([str(build / "bin/match_needs"), address, f"{directory}/operator.token", "travel", f"{directory}/labels.tsv"], capture_output=True, text=True)
        assert matched.returncode == 0, matched.stderr
        answer = json.loads(matched.stdout)
        assert answer["needs"] == counts["needs"] >= 1000
        # Far above chance (0.01), or tags, helpers and outcomes were joined wrongly.
        assert answer["mrr"] > 0.05, answer
        print(json.dumps({"pool": counts, "import": {k: report[k] for k in ("rows", "seconds", "rows_per_second")}, "match": answer}))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
