// Whether people are being helped (docs/metrics.md, "Market").
import { call, OPERATOR } from "./api.js";
import { duration, h, number, percent, s, table, words } from "./dom.js";
import { refreshing } from "./refresh.js";

function card(title, value, more) {
  return h("div", { class: "card" }, h("h3", null, title), h("p", { class: "big" }, value), h("p", null, more));
}

function bars(balance, most) {
  const bar = (value, y, name) => s("rect", { x: 0, y, width: (100 * value) / most, height: 6, class: name });
  return s("svg", { class: "bar", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true" },
    bar(Number(balance.needs ?? 0), 0, "needs"), bar(Number(balance.helpers ?? 0), 7, "supply"), bar(Number(balance.proven ?? 0), 14, "proven"));
}

function supply(health) {
  const interests = health.interests ?? [];
  if (interests.length === 0) return h("p", null, "No interest is asked for by five seekers or more: fewer are not told of, so that nobody is singled out.");
  const most = Math.max(1, ...interests.flatMap((one) => [Number(one.needs ?? 0), Number(one.helpers ?? 0)]));
  return table("Where help is missing: needs that ask for an interest, helpers who have it, and who of them is proven",
    ["interest", "needs", "helpers", "proven", "side by side"],
    interests.map((one) => [one.interest, number(one.needs), number(one.helpers), Number(one.proven ?? 0) === 0 ? h("strong", { class: "gap" }, "nobody") : number(one.proven), bars(one, most)]));
}

export function marketView(root, pool) {
  const draw = async () => {
    const m = await call("PoolService", "GetMarketHealth", { actor: OPERATOR, name: `pools/${pool}` });
    const wait = m.waiting ? `half for more than ${duration(m.waiting.median)}, the longest ${duration(m.waiting.longest)}` : "nobody waits";
    return [
      h("div", { class: "cards" },
        card("Waiting", number(m.needsWaiting), `of ${number(m.needsOpen)} open needs; ${wait}`),
        card("Answered in time", percent(m.needsAnsweredInTime, m.needsDue), `${number(m.needsAnsweredInTime)} of ${number(m.needsDue)} needs within 14 days`),
        card("Accepted", percent(m.accepted, m.answered), `${number(m.accepted)} of ${number(m.answered)} answers were yes${m.firstAnswer ? `; half came within ${duration(m.firstAnswer.median)}` : ""}`),
        card("Helped", percent(m.helped, m.outcomes), `${number(m.helped)} of ${number(m.outcomes)} outcomes`),
        card("Helpers", number(m.helpers), `${number(m.proven)} of them proven`),
        card("Spread of asks", (m.loadGini ?? 0).toFixed(2), "Gini: 0 evenly, towards 1 all to one"),
        card("Newcomers reached", percent(m.newcomersReached, m.newcomers), `${number(m.newcomersReached)} of ${number(m.newcomers)} helpers who came lately`)),
      supply(m),
      Object.keys(m.asks ?? {}).length ? table("Asks of the last 28 days, by what became of them", ["state", "asks"], Object.entries(m.asks).map(([state, count]) => [words(state), number(count)])) : h("p", null, "No ask was made in the last 28 days."),
      h("p", { class: "fine" }, `Counted by this replica at ${new Date(m.measureTime).toLocaleString()}.`),
    ];
  };
  return refreshing(root, "Are people being helped?", 60_000, draw, (error) => (error.reason === "MARKET_NOT_MEASURED" ? 2_000 : undefined));
}
