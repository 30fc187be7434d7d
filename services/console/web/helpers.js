// One helper of an answer: the score as stacked parts, the evidence, and the warm path drawn.
import { duration, h, idOf, number, s, table, unit, words } from "./dom.js";

const PARTS = ["INTERESTS", "HELPFULNESS", "RESPONSIVENESS", "INVOLVEMENT", "AVAILABILITY", "CLOSENESS", "EXPLORATION"];
const WIDTH = 600;
// How an ask reaches the helper, where no tie leads there.
const REACHES = { FIRST_DEGREE: "first degree", SECOND_DEGREE: "second degree", CIRCLE: "circle: a rare interest in common", POOL: "open door" };

const classOf = (part) => `part part-${words(part)}`;

export function legend() {
  return h("ul", { class: "legend", "aria-label": "Parts of a score" },
    PARTS.map((part) => h("li", null, s("svg", { width: 12, height: 12, "aria-hidden": "true" }, s("rect", { width: 12, height: 12, class: classOf(part) })), ` ${words(part)}`)));
}

function stack(match, most) {
  let x = 0;
  const bars = [];
  for (const part of PARTS) {
    const contribution = (match.reasons ?? []).find((reason) => reason.part === part)?.contribution ?? 0;
    const width = (contribution / most) * WIDTH;
    if (width > 0) bars.push(s("rect", { x, y: 0, width, height: 18, class: classOf(part) }, s("title", null, `${words(part)} ${unit(contribution)}`)));
    x += width;
  }
  const told = (match.reasons ?? []).filter((r) => r.contribution).map((r) => `${words(r.part)} ${unit(r.contribution)}`).join(", ");
  return s("svg", { class: "stack", viewBox: `0 0 ${WIDTH} 18`, preserveAspectRatio: "none", role: "img", "aria-label": `Score ${unit(match.score)}: ${told}` }, bars);
}

// Seeker, introducer where there is one, helper; the thicker a tie, the stronger it is.
function path(match, seeker, helper) {
  const reach = match.path?.reach ?? "";
  const strengths = match.path?.tieStrengths ?? [];
  const people = [idOf(seeker) || "seeker", ...(match.path?.introducer ? [idOf(match.path.introducer)] : []), helper];
  const tied = strengths.length === people.length - 1;
  const gap = 560 / Math.max(1, people.length - 1);
  const told = `${REACHES[reach] ?? words(reach)}: ${people.join(" – ")}${tied ? `, ties of ${strengths.map((t) => (t / 255).toFixed(2)).join(" and ")}` : ""}`;
  return s("svg", { class: "path", viewBox: "0 0 640 64", role: "img", "aria-label": told },
    people.slice(1).map((_, i) => s("line", { x1: 40 + i * gap, y1: 20, x2: 40 + (i + 1) * gap, y2: 20, class: tied ? "tie" : "tie none", "stroke-width": tied ? 1 + (strengths[i] / 255) * 5 : 2 })),
    tied ? strengths.map((t, i) => s("text", { x: 40 + (i + 0.5) * gap, y: 14, "text-anchor": "middle", class: "strength" }, (t / 255).toFixed(2))) : s("text", { x: 320, y: 14, "text-anchor": "middle", class: "strength" }, REACHES[reach] ?? words(reach)),
    people.map((person, i) => [
      s("circle", { cx: 40 + i * gap, cy: 20, r: 8, class: i === 0 ? "seeker" : i === people.length - 1 ? "helper" : "introducer" }),
      s("text", { x: 40 + i * gap, y: 50, "text-anchor": i === 0 ? "start" : i === people.length - 1 ? "end" : "middle", dx: i === 0 ? -20 : i === people.length - 1 ? 20 : 0 }, person),
    ]));
}

function evidenceText(evidence) {
  if (!evidence || !evidence.outcomes) return "Unproven: no outcome yet.";
  const least = evidence.bucketed ? "at least " : "";
  const days = Number(evidence.lastHelpedDays ?? -1);
  const last = days < 0 ? "" : days === 0 ? ", last today" : days === 1 ? ", last yesterday" : `, last ${number(days)} days ago`;
  const answers = evidence.meanResponse ? `; answers in ${duration(evidence.meanResponse)} on average` : "";
  return `Helped ${least}${number(evidence.helped)} of ${least}${number(evidence.outcomes)}${last}${answers}.`;
}

export function helperCard(match, seeker, most) {
  const name = match.helper ? idOf(match.helper) : match.profession ? `somebody, ${match.profession}` : "somebody";
  const reasons = match.reasons ?? [];
  return h("article", { class: "match" },
    h("h3", null, name, " ", h("span", { class: "score" }, unit(match.score)), match.kind === "ORGANIZATION" ? h("span", { class: "tag" }, "organisation") : null, match.candidate ? h("span", { class: "tag" }, "masked until consent") : null),
    stack(match, most),
    h("p", null, evidenceText(match.evidence), match.load ? ` Holds ${number(match.load.openAsks)} open ${match.load.openAsks === 1 ? "ask" : "asks"}.` : null),
    (match.sharedInterests ?? []).length ? h("p", { class: "interests" }, "Shares ", (match.sharedInterests ?? []).map((one) => h("span", { class: one.rare ? "tag rare" : "tag" }, one.related ? `${one.interest} ≈ ${one.related}` : one.interest, one.rare ? " (rare)" : ""))) : null,
    path(match, seeker, name),
    h("details", null, h("summary", null, "Parts that add up to the score"),
      table(`Score ${unit(match.score)}`, ["part", "value", "× weight", "= adds"],
        [...reasons.map((r) => [words(r.part), unit(r.value), unit(r.weight), unit(r.contribution)]), ["together", "", "", unit(reasons.reduce((sum, r) => sum + (r.contribution ?? 0), 0))]])));
}

export function removedTable(answer) {
  const removed = answer.removed ?? [];
  if (removed.length === 0) return h("p", null, answer.candidates !== undefined ? `Of ${number(answer.candidates)} candidates no rule removed any.` : "");
  const most = Math.max(1, ...removed.map((r) => Number(r.count ?? 0)));
  const bar = (count) => s("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { width: (100 * count) / most, height: 10 }));
  return table(
    answer.candidatesBelowFive ? "Fewer than 5 candidates; removed by" : `Of ${number(answer.candidates)} candidates, removed by`,
    ["rule", "count", "of the most"],
    removed.map((r) => [words(r.rule.replace("RULE_", "")), r.belowFive ? "fewer than 5" : number(r.count), bar(r.belowFive ? 2 : Number(r.count))]),
    { class: "removed" });
}
