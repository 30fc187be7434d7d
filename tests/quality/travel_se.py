#!/usr/bin/env python3
"""Turns a Stack Exchange dump in CSV into a Warmline pool: tags become interests, answerers helpers, accepted and voted answers outcomes,
questions needs. Writes members.jsonl, needs.jsonl and labels.tsv (need, helpers that gave a useful answer).

Everything before T0 is known to the pool, the questions after it are asked. Times are moved so that T0 is `--now`, since evidence ages.
Votes carry their dates and are the only source of outcomes; Score and AcceptedAnswerId of the dump are labels, never features.
"""
import argparse
import collections
import csv
import datetime
import gzip
import json
import pathlib

csv.field_size_limit(1 << 30)


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def when(text):
    return datetime.datetime.fromisoformat(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with Posts.csv.gz, Votes.csv.gz, question_tags_derived.tsv.gz")
    parser.add_argument("--out", required=True)
    parser.add_argument("--t0", default="2016-07-01")
    parser.add_argument("--needs", type=int, default=1000)
    parser.add_argument("--min-answers", type=int, default=5, help="answers to others before T0 that make a helper")
    parser.add_argument("--now", default=None, help="the time that T0 is moved to; today by default")
    args = parser.parse_args()
    data, out = pathlib.Path(args.data), pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    t0 = when(args.t0)
    now = when(args.now) if args.now else datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    shift = now - t0

    tags = {}
    for line in gzip.open(data / "question_tags_derived.tsv.gz", "rt", encoding="utf-8").read().splitlines()[1:]:
        question, _, names = line.split("\t")
        tags[question] = names.split(",")
    questions, answers = {}, {}
    for post in rows(data / "Posts.csv.gz"):
        if not post["OwnerUserId"] or post["OwnerUserId"].startswith("-"):
            continue
        (questions if post["PostTypeId"] == "1" else answers if post["PostTypeId"] == "2" else {})[post["Id"]] = post
    accepted, ups, downs = {}, collections.Counter(), collections.Counter()
    for vote in rows(data / "Votes.csv.gz"):
        date = when(vote["CreationDate"])
        if date >= t0:
            continue
        if vote["VoteTypeId"] == "1":
            accepted[vote["PostId"]] = date
        elif vote["VoteTypeId"] == "2":
            ups[vote["PostId"]] += 1
        elif vote["VoteTypeId"] == "3":
            downs[vote["PostId"]] += 1

    given, topics = collections.Counter(), collections.defaultdict(collections.Counter)
    outcomes = collections.defaultdict(collections.Counter)  # user -> (kind, month) -> count
    useful = collections.defaultdict(dict)  # question -> user -> gain
    for ident, answer in answers.items():
        question = questions.get(answer["ParentId"])
        if question is None or question["OwnerUserId"] == answer["OwnerUserId"]:
            continue
        user, date = answer["OwnerUserId"], when(answer["CreationDate"])
        if date < t0:
            given[user] += 1
            topics[user].update(tags.get(answer["ParentId"], []))
            kind = "HIRED" if ident in accepted else "HELPED" if ups[ident] > downs[ident] else "NOT_HELPFUL"
            outcomes[user][kind, date.strftime("%Y-%m-15")] += 1
        if when(question["CreationDate"]) >= t0:
            score = int(float(answer["Score"]))
            gain = 3 if question["AcceptedAnswerId"].split(".")[0] == ident else 2 if score >= 2 else 1 if score >= 0 else 0
            useful[answer["ParentId"]][user] = max(gain, useful[answer["ParentId"]].get(user, 0))
    helpers = {user for user, count in given.items() if count >= args.min_answers}

    asked = [q for q in sorted(questions.values(), key=lambda q: (q["CreationDate"], int(q["Id"])))
             if when(q["CreationDate"]) >= t0 and tags.get(q["Id"]) and any(g and u in helpers and u != q["OwnerUserId"] for u, g in useful[q["Id"]].items())][:args.needs]
    people = sorted(set(given) | {q["OwnerUserId"] for q in questions.values()}, key=int)
    with open(out / "members.jsonl", "w", encoding="utf-8") as file:
        for user in people:
            member = {"name": f"u{user}", "kind": "PERSON", "displayName": f"User {user}"}
            if user in helpers:
                most = topics[user].most_common(32)
                member["interests"] = [{"interest": f"topic:{tag}", "strength": round(max(0.05, (count / most[0][1]) ** 0.5), 4)} for tag, count in most]
                member["offer"] = {"helpKinds": ["ADVICE"], "capacity": {"openAsks": 100, "asksPerWeek": 100}, "languages": ["en"], "openTo": ["POOL"], "confirmation": "SELF_CONFIRMED"}
                entries = sorted(outcomes[user].items(), key=lambda entry: entry[0][1])[-256:]
                member["evidence"] = [{"outcome": kind, "count": count, "time": (when(month) + shift).strftime("%Y-%m-%dT%H:00:00Z")} for (kind, month), count in entries]
            file.write(json.dumps({"member": member}) + "\n")
    with open(out / "needs.jsonl", "w", encoding="utf-8") as file, open(out / "labels.tsv", "w", encoding="utf-8") as labels:
        for q in asked:
            file.write(json.dumps({"need": {"name": f"q{q['Id']}", "seeker": f"u{q['OwnerUserId']}", "helpKinds": ["ADVICE"],
                                            "interests": [{"interest": f"topic:{tag}"} for tag in tags[q["Id"]]]}}) + "\n")
            labels.write(f"q{q['Id']}\t" + ",".join(f"u{u}" for u, g in sorted(useful[q["Id"]].items()) if g and u in helpers and u != q["OwnerUserId"]) + "\n")
    print(json.dumps({"members": len(people), "helpers": len(helpers), "needs": len(asked)}))


if __name__ == "__main__":
    main()
