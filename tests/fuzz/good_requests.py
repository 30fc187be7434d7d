"""A good request of every type, for a fuzzer to spoil: with members, needs and introductions that exist, or that earlier calls made."""

OPERATOR = {"audience": 4}
CITY = "pools/city"
MEMBERS = ("amina-haddad", "joost-bakker", "ingrid-visser", "nieuwe-start", "fuzz-1", "fuzz-2", "fuzz-3")
INTERESTS = ("profession:registered nurse", "skill:triage", "skill:sql", "hobby:choir", "background:refugee", "industry:health")
MESSAGE = "I begin as a nurse in May and would like to hear how triage works on your ward, twenty minutes would do."


def member(chance):
    return f"{CITY}/members/{chance.choice(MEMBERS)}"


def interests(chance):
    return [{"interest": i, "strength": chance.choice((0, 0.5, 1))} for i in chance.sample(INTERESTS, chance.randint(1, 4))]


def actor(chance):
    who = chance.choice((1, 2, 3, 4, 4, 4, 4))
    return OPERATOR if who == 4 else {"audience": who, "acting_member": member(chance)}


def need(chance):
    return {"seeker": member(chance), "help_kinds": [chance.randint(1, 9)], "interests": interests(chance), "urgency": chance.randint(0, 4),
            "constraints": {"languages": ["en"], "exclude_members": [member(chance)]}, "relaxations": [{"after": {"seconds": 86400}, "drop": [chance.randint(1, 4)]}],
            "showcase": {"title": "A thing", "description": "made", "url": "https://example.org/x"}}


def person(chance):
    return {"kind": chance.choice((1, 2)), "display_name": "Somebody", "interests": interests(chance), "introduces": True, "conflict_keys": ["employer:x"],
            "offer": {"help_kinds": [1, 2], "capacity": {"open_asks": 3, "asks_per_week": 5}, "languages": ["en", "nl"], "remote": True, "open_to": [1, 4], "involvement": 2},
            "evidence": [{"outcome": 1, "count": 3, "time": {"seconds": 1_780_000_000}, "response_time": {"seconds": 3600}}]}


def subject(chance):
    return {"need": f"{CITY}/needs/amina-first-job"} if chance.random() < 0.5 else {"inline_need": need(chance)}


def fresh(chance):
    return f"fuzz-{chance.randrange(2**40):x}"


def tie(chance, kind):
    a, b = sorted(chance.sample(MEMBERS, 2))
    return f"{CITY}/{kind}/{a}~{b}"


def party(chance, audience, member_id):
    """Whose move it is in an introduction of amina's to nieuwe-start; sometimes anybody."""
    return {"actor": {"audience": audience, "acting_member": f"{CITY}/members/{member_id}"}} if chance.random() < 0.8 else {"actor": actor(chance)}


def good(name, chance, introductions):
    """Fields of a good request of this type; empty for a type that is not listed."""
    who, page = {"actor": actor(chance)}, {"page_size": chance.choice((0, 1, 10, 1000))}
    operator, pool = {"actor": OPERATOR}, {"parent": CITY}
    seeker, helper, introducer = party(chance, 1, "amina-haddad"), party(chance, 3, "nieuwe-start"), party(chance, 2, "joost-bakker")
    asks = {**seeker, **pool, "need": f"{CITY}/needs/amina-first-job", "targets": [{"helper": chance.choice((f"{CITY}/members/nieuwe-start", member(chance)))}], "message": MESSAGE, "request_id": fresh(chance)}
    move = {**who, "name": chance.choice(introductions)}
    made = {
        "CreateMemberRequest": lambda: {**operator, **pool, "member": person(chance), "member_id": chance.choice(MEMBERS[4:] + (fresh(chance),)), "request_id": fresh(chance)},
        "GetMemberRequest": lambda: {**who, "name": member(chance)},
        "ConfirmOfferRequest": lambda: {"actor": {"audience": 3, "acting_member": f"{CITY}/members/joost-bakker"}, "name": f"{CITY}/members/joost-bakker"},
        "EraseMemberRequest": lambda: {**operator, "name": f"{CITY}/members/{chance.choice(MEMBERS[4:])}"},
        "GetErasureRequest": lambda: {**operator, "name": f"{CITY}/erasures/{chance.choice(MEMBERS)}"},
        "WatchMembersRequest": lambda: {**who, **pool, "member": member(chance)},
        "ListMembersRequest": lambda: {**who, **pool, **page},
        "UpdateMemberRequest": lambda: {**operator, "member": {**person(chance), "name": member(chance)}, "update_mask": chance.sample(("display_name", "interests", "offer", "evidence", "introduces", "offer.paused"), 2)},
        "CreateConnectionRequest": lambda: {**operator, **pool, "connection": {"member_a": member(chance), "member_b": member(chance), "strength": 0.5, "state": 2}, "request_id": fresh(chance)},
        "ConfirmConnectionRequest": lambda: {**who, "name": tie(chance, "connections")},
        "DeleteConnectionRequest": lambda: {**operator, "name": tie(chance, "connections")},
        "ListConnectionsRequest": lambda: {**who, **pool, "member": member(chance), **page},
        "CreateBlockRequest": lambda: {**operator, **pool, "block": {"blocker": member(chance), "blocked": member(chance)}},
        "DeleteBlockRequest": lambda: {**operator, "name": tie(chance, "blocks")},
        "ListBlocksRequest": lambda: {**who, **pool, "member": member(chance), **page},
        "ImportRequest": lambda: {**operator, **pool, "vouch": True, "rows": [{"member": {**person(chance), "name": fresh(chance)}}, {"connection": {"member_a": "amina-haddad", "member_b": "joost-bakker", "strength": 1}},
                                                                              {"need": {**need(chance), "name": fresh(chance), "seeker": "amina-haddad"}}]},
        "ExportRequest": lambda: {**operator, **pool},
        "CreateNeedRequest": lambda: {**who, **pool, "need": need(chance), "need_id": chance.choice(("fuzz-need", fresh(chance))), "request_id": fresh(chance)},
        "GetNeedRequest": lambda: {**who, "name": f"{CITY}/needs/" + chance.choice(("amina-first-job", "fuzz-need"))},
        "ListNeedsRequest": lambda: {**who, **pool, **page},
        "UpdateNeedRequest": lambda: {**who, "need": {**need(chance), "name": f"{CITY}/needs/fuzz-need"}, "update_mask": ["interests", "urgency"]},
        "CloseNeedRequest": lambda: {**who, "name": f"{CITY}/needs/fuzz-need", "reason": chance.randint(1, 4)},
        "MatchRequest": lambda: {**who, **pool, **subject(chance), "top_k": chance.randint(0, 100), "count_rules": chance.random() < 0.5},
        "ExplainRequest": lambda: {**who, **pool, **subject(chance), "helper": member(chance)},
        "WatchMatchesRequest": lambda: {**who, **pool, "need": f"{CITY}/needs/amina-first-job"},
        "SuggestInterestsRequest": lambda: {**who, **pool},
        "RequestRequest": lambda: asks, "ListIntroductionsRequest": lambda: {**who, **pool, **page}, "GetIntroductionRequest": lambda: move,
        "WatchIntroductionsRequest": lambda: {**who, **pool, "member": member(chance)}, "MoveIntroductionRequest": lambda: {**move, **chance.choice((seeker, helper))},
        "ForwardIntroductionRequest": lambda: {**move, **introducer, "note": "He would be good for this."}, "DeclineIntroductionRequest": lambda: {**move, **helper, "note": "No time."},
        "AskMoreRequest": lambda: {**move, **helper, "question": "Which ward do you mean?"}, "AnswerMoreRequest": lambda: {**move, **seeker, "answer": "The one on the first floor."},
        "ReportOutcomeRequest": lambda: {**move, **chance.choice((seeker, helper)), "outcome": chance.randint(1, 5)}, "ReportAbuseRequest": lambda: {**move, "note": "Not about work."},
        "ResolveReportRequest": lambda: {**operator, "name": chance.choice(introductions), "member": member(chance)},
        "AssignRequest": lambda: {**operator, **pool, "mode": chance.choice((1, 2))},
        "CreatePoolRequest": lambda: {**operator, "pool": {"name": CITY, "display_name": "City"}, "request_id": fresh(chance)},
        "GetPoolRequest": lambda: {**who, "name": CITY}, "ListPoolsRequest": lambda: {**operator, **page},
        "UpdatePoolRequest": lambda: {**operator, "pool": {"name": CITY, "display_name": "City", "policy": {"second_degree_visibility": chance.choice((1, 2))}}, "update_mask": ["display_name"]},
        "RefreshStatisticsRequest": lambda: {**operator, "name": CITY}, "GetIndexStateRequest": lambda: {**operator, "name": CITY},
        "GetMarketHealthRequest": lambda: {**operator, "name": CITY}, "ListReplicasRequest": lambda: operator,
    }
    return made[name]() if name in made else {}
