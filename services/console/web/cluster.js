// The replicas, what their indexes hold, and what this one says of itself in its metrics.
import { call, metrics, OPERATOR } from "./api.js";
import { duration, h, idOf, number, percent, table } from "./dom.js";
import { refreshing } from "./refresh.js";

const sum = (entries, keep = () => true) => (entries ?? []).filter((e) => keep(e.labels)).reduce((total, e) => total + e.value, 0);
const bytes = (n) => (n > 1 << 30 ? `${(n / (1 << 30)).toFixed(1)} GiB` : n > 1 << 20 ? `${(n / (1 << 20)).toFixed(1)} MiB` : `${Math.round(n / 1024)} KiB`);
const took = (seconds) => (seconds < 0.001 ? `${Math.round(seconds * 1e6)} µs` : seconds < 1 ? `${(seconds * 1e3).toFixed(1)} ms` : `${seconds.toFixed(1)} s`);

// The upper end of the bucket that holds the quantile, as a histogram's buckets tell it.
function quantile(buckets, q) {
  const sorted = buckets.map((b) => [b.labels.le === "+Inf" ? Infinity : Number(b.labels.le), b.value]).sort((x, y) => x[0] - y[0]);
  const all = sorted.at(-1)?.[1] ?? 0;
  return sorted.find(([, count]) => count >= q * all)?.[0] ?? 0;
}

function replicasTable(answer, pool) {
  const rows = (answer.replicas ?? []).map((replica, i) => {
    const held = (replica.pools ?? []).find((p) => idOf(p.name) === pool);
    const behind = Number(held?.behind ?? 0);
    return [
      i === 0 ? `${replica.id} (this one)` : replica.id,
      replica.notReady ? h("strong", { class: "gap" }, replica.notReady) : "takes calls",
      replica.version,
      duration(`${(Date.now() - new Date(replica.startTime)) / 1000}s`),
      number(replica.inFlight),
      held ? (behind === 0 ? "newest" : h("strong", { class: "gap" }, `${number(behind)} changes behind`)) : "not held",
      held ? number(held.statisticsGeneration) : "",
      replica.staleness && parseFloat(replica.staleness) >= 1 ? `${duration(replica.staleness)} ago` : "just now",
    ];
  });
  return [
    table("Replicas", ["replica", "state", "version", "up for", "calls under way", `pool ${pool}`, "statistics", "saw the store"], rows),
    answer.complete ? null : h("p", { class: "fine" }, "Others are not known: replicas tell of themselves through Redis, which this server does not use, or cannot reach now."),
  ];
}

function indexTable(state, pool) {
  return table(`Index of ${pool}, in this replica`, ["what", "is"], [
    ["Members", number(state.members)], ["Helpers", number(state.helpers)], ["Interests", number(state.interests)],
    ["Ties", number(Number(state.directedTies ?? 0) / 2)], ["Open needs", number(state.openNeeds)],
    ["Memory", bytes(Number(state.bytes ?? 0))], ["Segments", `${number(state.segments)}, with ${number(state.deadDocuments)} helpers who were changed since`],
    ["Epoch, policy, statistics", `${state.epoch}, ${number(state.policyVersion)}, ${number(state.statisticsGeneration)}`],
  ]);
}

function partsTable(m) {
  const gauge = (name) => m[name]?.[0]?.value;
  const reachable = (value) => (value === 1 ? "reachable" : h("strong", { class: "gap" }, "away"));
  const rows = [["Store", gauge("warmline_store_reachable") === undefined ? "not asked yet" : reachable(gauge("warmline_store_reachable"))]];
  for (const entry of m.warmline_redis_reachable ?? []) rows.push([`Redis, ${entry.labels.use.replace("_", " ")}`, reachable(entry.value)]);
  rows.push(["Writes that wait", number(gauge("warmline_writes_waiting"))]);
  rows.push(["Changes followed", `${number(sum(m.warmline_changes_followed_total, (l) => l.source === "feed"))} by the feed, ${number(sum(m.warmline_changes_followed_total, (l) => l.source === "log"))} by the log`]);
  rows.push(["Snapshots", `${number(sum(m.warmline_snapshot_loads_total, (l) => l.result === "found"))} loaded, ${number(sum(m.warmline_snapshot_writes_total, (l) => l.result === "written"))} written, ${number(sum(m.warmline_snapshot_damaged_total))} damaged`]);
  rows.push(["Memory of the process", bytes(gauge("process_resident_memory_bytes") ?? 0)]);
  return table("What this replica depends on", ["part", "state"], rows);
}

function callsTable(m) {
  const methods = [...new Set((m.warmline_rpc_seconds_count ?? []).map((e) => e.labels.method))].sort();
  if (methods.length === 0) return h("p", null, "No call was made yet.");
  return table("Calls since this replica began", ["call", "calls", "errors", "mean", "99 of 100 within"], methods.map((method) => {
    const mine = (l) => l.method === method;
    const all = sum(m.warmline_rpc_seconds_count, mine);
    const merged = new Map();
    for (const b of (m.warmline_rpc_seconds_bucket ?? []).filter((e) => mine(e.labels))) merged.set(b.labels.le, (merged.get(b.labels.le) ?? 0) + b.value);
    const p99 = quantile([...merged].map(([le, value]) => ({ labels: { le }, value })), 0.99);
    return [method.replace("warmline.v1.", ""), number(all), percent(all - sum(m.warmline_rpc_seconds_count, (l) => mine(l) && l.code === "OK"), all),
      took(sum(m.warmline_rpc_seconds_sum, mine) / Math.max(1, all)), p99 === Infinity ? "more than 10 s" : took(p99)];
  }));
}

export function clusterView(root, pool) {
  return refreshing(root, "Cluster", 5_000, async () => {
    const [replicas, state, m] = await Promise.all([
      call("PoolService", "ListReplicas", { actor: OPERATOR }),
      call("PoolService", "GetIndexState", { actor: OPERATOR, name: `pools/${pool}` }),
      metrics(),
    ]);
    return [replicasTable(replicas, pool), h("div", { class: "pair-of-tables" }, partsTable(m), indexTable(state, pool)), callsTable(m)];
  });
}
