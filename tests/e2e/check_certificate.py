#!/usr/bin/env python3
"""An independent check of a certificate of `warmline assign`, written from docs/assignment.md alone: check_certificate.py pairs.csv certificate.json [capacities.csv]."""
import csv
import json
import pathlib
import sys
from decimal import Decimal


def check(pairs_path, certificate_path, capacities_path=None):
    proof = json.loads(pathlib.Path(certificate_path).read_text())
    scale = proof["weight_scale"]
    capacity = {"seeker": {}, "helper": {}}
    if capacities_path:
        for row in csv.DictReader(pathlib.Path(capacities_path).read_text().splitlines()):
            capacity[row["side"]][row["member"]] = int(row["capacity"])
    pairs = []
    for row in sorted(csv.DictReader(pathlib.Path(pairs_path).read_text().splitlines()), key=lambda r: (r["seeker"].encode(), r["helper"].encode())):
        for side in ("seeker", "helper"):
            capacity[side].setdefault(row[side], 1)
        if row.get("forbidden") == "yes":
            continue
        if row.get("fixed") == "yes":
            capacity["seeker"][row["seeker"]] -= 1
            capacity["helper"][row["helper"]] -= 1
            continue
        pairs.append((row["seeker"], row["helper"], int(Decimal(row["weight"]) * scale)))
    seekers = sorted(capacity["seeker"], key=str.encode)
    helpers = sorted(capacity["helper"], key=str.encode)
    most = None
    for stage in proof["stages"]:
        kept = [p for p in pairs if p[2] >= stage.get("min_weight", p[2])]
        if stage["kind"] != "sum":
            kept = [(s, h, 0) for s, h, _ in kept]
        seeker_price = dict(zip(seekers, stage["seeker_price"], strict=True))
        helper_price = dict(zip(helpers, stage["helper_price"], strict=True))
        bonus = stage["bonus"]
        chosen = [kept[i] for i in stage["chosen"]]
        assert len(set(chosen)) == len(chosen), "a pair is chosen twice"
        for side, at in (("seeker", 0), ("helper", 1)):
            used = {}
            for pair in chosen:
                used[pair[at]] = used.get(pair[at], 0) + 1
            assert all(count <= capacity[side][who] for who, count in used.items()), f"a {side} has too many"
        matched = len({p[0] for p in chosen})
        value = sum(p[2] for p in chosen) + bonus * matched
        assert value == stage["value"], "the choice is not worth what is claimed"
        assert min(helper_price.values()) >= 0, "a helper's price is below 0"
        bound = sum(capacity["helper"][h] * helper_price[h] for h in helpers)
        for s in seekers:
            if capacity["seeker"][s] > 0:
                bound += capacity["seeker"][s] * seeker_price[s] + bonus if seeker_price[s] >= 0 else max(0, bonus + seeker_price[s])
        bound += sum(max(0, w - seeker_price[s] - helper_price[h]) for s, h, w in kept if capacity["seeker"][s] > 0)
        assert bound == value, f"stage {stage['kind']}: the prices allow for {bound - value} more"
        if stage["kind"] == "everybody":
            most = value
        if stage["kind"] == "floor_bound":
            assert value < most, "the floor could be higher"
            assert not any(proof["floor_weight"] < w < stage["min_weight"] for _, _, w in pairs)
        if stage["kind"] == "sum":
            assert most in (None, matched), "fewer have somebody than could"
            assert matched == proof["seekers_matched"] and sum(p[2] for p in chosen) == proof["sum"]
            assert stage.get("min_weight") == proof.get("floor_weight")
    assert proof["stages"][-1]["kind"] == "sum"
    return proof


if __name__ == "__main__":
    made = check(*sys.argv[1:])
    print(f"proved: {made['seekers_matched']} seekers, sum {made['sum'] / made['weight_scale']:g}")
