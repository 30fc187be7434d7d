// The match explorer: a need, the helpers who fit it with the parts of their scores, and what each rule removed.
import { call, OPERATOR } from "./api.js";
import { h, idOf, number, problem, say, words } from "./dom.js";
import { helperCard, legend, removedTable } from "./helpers.js";

const KINDS = ["ADVICE", "RESUME_REVIEW", "MOCK_INTERVIEW", "REFERRAL", "INTRODUCTION", "JOB_OPENING", "TRAINING", "PLACEMENT", "MATERIAL_AID"];
const URGENCIES = ["LOW", "NORMAL", "HIGH", "IMMEDIATE"];
const MAX_NEEDS = 1000;

const member = (pool, text) => (text.startsWith("pools/") ? text : `pools/${pool}/members/${text}`);

// The subject of a request, from the form.
function subjectOf(pool, form) {
  const text = (name) => form.elements[name].value.trim();
  if (text("subject") === "stored") {
    const need = text("need");
    return { need: need.startsWith("pools/") ? need : `pools/${pool}/needs/${need}` };
  }
  return {
    inlineNeed: {
      seeker: member(pool, text("seeker")),
      helpKinds: KINDS.filter((kind) => form.elements[`kind-${kind}`].checked),
      interests: text("interests").split(",").map((one) => one.trim()).filter(Boolean).map((interest) => ({ interest })),
      urgency: text("urgency"),
    },
  };
}

function field(label, control) {
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

function makeForm(pool) {
  const stored = h("fieldset", { id: "stored" },
    h("legend", null, "The need"),
    field("Need", h("input", { id: "need", name: "need", list: "needs", autocomplete: "off", placeholder: "its id" })),
    h("datalist", { id: "needs" }));
  const typed = h("fieldset", { id: "typed", hidden: true },
    h("legend", null, "The need"),
    field("Seeker", h("input", { id: "seeker", name: "seeker", list: "seekers", autocomplete: "off", placeholder: "id of a member" })),
    h("datalist", { id: "seekers" }),
    field("Interests, with commas", h("input", { id: "interests", name: "interests", list: "suggested", autocomplete: "off", placeholder: "profession:nurse, hobby:choir" })),
    h("datalist", { id: "suggested" }),
    h("div", { class: "kinds", role: "group", "aria-label": "Kinds of help" },
      KINDS.map((kind, i) => h("label", null, h("input", { type: "checkbox", name: `kind-${kind}`, checked: i === 0 }), ` ${words(kind)}`))),
    field("Urgency", h("select", { id: "urgency", name: "urgency" }, URGENCIES.map((u) => h("option", { value: u, selected: u === "NORMAL" }, words(u))))));
  const choose = (which) => {
    stored.hidden = which !== "stored";
    typed.hidden = which === "stored";
  };
  const form = h("form", { class: "ask", novalidate: true },
    h("fieldset", null,
      h("legend", null, "For whom"),
      h("label", null, h("input", { type: "radio", name: "subject", value: "stored", checked: true, onchange: () => choose("stored") }), " a stored need"),
      h("label", null, h("input", { type: "radio", name: "subject", value: "typed", onchange: () => choose("typed") }), " one typed here"),
      field("Seen as", h("select", { id: "audience", name: "audience" }, h("option", { value: "OPERATOR" }, "operator: all names"), h("option", { value: "SEEKER" }, "the seeker: what they may see"))),
      field("At most", h("input", { id: "top", name: "top", type: "number", min: 1, max: 100, value: 10 }))),
    stored, typed,
    h("div", { class: "actions" }, h("button", { type: "submit" }, "Find helpers")),
    h("fieldset", { class: "pair" },
      h("legend", null, "Why somebody is there, or not"),
      field("Helper", h("input", { id: "helper", name: "helper", autocomplete: "off", placeholder: "id of a member" })),
      h("button", { type: "submit", value: "explain", name: "explain" }, "Explain")));
  return form;
}

// Needs to choose from, and their seekers by the need's id.
async function offerNeeds(pool, form, seekers) {
  let page = "";
  const options = [];
  while (options.length < MAX_NEEDS) {
    const answer = await call("NeedService", "ListNeeds", { actor: OPERATOR, parent: `pools/${pool}`, pageSize: 1000, pageToken: page });
    for (const need of answer.needs ?? []) {
      const id = idOf(need.name);
      seekers.set(id, need.seeker);
      if (need.state !== "CLOSED") options.push(h("option", { value: id }, `${idOf(need.seeker)}: ${(need.helpKinds ?? []).map(words).join(", ")}`));
    }
    page = answer.nextPageToken ?? "";
    if (!page) break;
  }
  form.querySelector("#needs").replaceChildren(...options);
  form.querySelector("#seekers").replaceChildren(...[...new Set([...seekers.values()].map(idOf))].map((id) => h("option", { value: id })));
}

// Suggests what may follow the last comma.
function suggestInterests(pool, form) {
  const box = form.elements.interests;
  let timer = 0;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const parts = box.value.split(",");
      const prefix = parts.pop().trim();
      if (!prefix) return;
      const before = parts.length ? `${parts.map((p) => p.trim()).join(", ")}, ` : "";
      const answer = await call("MatchService", "SuggestInterests", { actor: OPERATOR, parent: `pools/${pool}`, prefix, limit: 10 }).catch(() => ({}));
      form.querySelector("#suggested").replaceChildren(...(answer.suggestions ?? []).map((one) => h("option", { value: before + one.interest }, `${number(one.helpers)} helpers`)));
    }, 200);
  });
}

function showMatches(answer, seeker) {
  const matches = answer.matches ?? [];
  const most = Math.max(1, ...matches.map((match) => match.score ?? 0));
  const removed = removedTable(answer);
  return [
    h("h2", null, matches.length === 0 ? "Nobody fits" : `${matches.length} ${matches.length === 1 ? "helper fits" : "helpers fit"}`),
    matches.length === 0 ? h("p", null, "An honest answer: no helper passes every rule. What each rule removed stands below; a need that asks for less finds more.") : legend(),
    h("ol", { class: "matches" }, matches.map((match) => h("li", null, helperCard(match, seeker, most)))),
    removed,
    h("p", { class: "fine" }, `Revision ${answer.revision}, epoch ${answer.epoch}, policy ${answer.policyVersion}, statistics ${answer.statisticsGeneration}: together they determine this answer.`),
  ];
}

function showExplanation(answer, seeker, helper) {
  const blocked = answer.blockedBy ?? [];
  return [
    h("h2", null, blocked.length ? `${helper} is not matched` : answer.isCandidate || answer.match ? `${helper} can be matched` : `${helper} is no candidate`),
    answer.isCandidate ? null : h("p", null, "They share no interest with the need, and are not within two degrees of the seeker."),
    blocked.length ? h("ul", { class: "rules" }, blocked.map((rule) => h("li", null, words(rule.replace("RULE_", ""))))) : null,
    answer.match ? [legend(), helperCard(answer.match, seeker, answer.match.score ?? 1)] : null,
  ];
}

export function matchView(root, pool) {
  const form = makeForm(pool);
  const seekers = new Map();
  const result = h("section", { id: "result", "aria-label": "Answer", tabindex: -1 });
  root.replaceChildren(h("div", { class: "split" }, form, result));
  offerNeeds(pool, form, seekers).catch((error) => result.replaceChildren(problem(error)));
  suggestInterests(pool, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const explain = event.submitter?.name === "explain";
    const subject = subjectOf(pool, form);
    const seeker = subject.inlineNeed?.seeker ?? seekers.get(idOf(subject.need)) ?? "";
    const asSeeker = form.elements.audience.value === "SEEKER";
    const request = { actor: asSeeker ? { audience: "SEEKER", actingMember: seeker } : OPERATOR, parent: `pools/${pool}`, ...subject };
    const helper = form.elements.helper.value.trim();
    result.setAttribute("aria-busy", "true");
    try {
      const shown = explain
        ? showExplanation(await call("MatchService", "Explain", { ...request, helper: member(pool, helper) }), seeker, helper)
        : showMatches(await call("MatchService", "Match", { ...request, topK: Number(form.elements.top.value), countRules: true }), seeker);
      result.replaceChildren(...shown.flat(Infinity).filter(Boolean));
      say(result.querySelector("h2").textContent);
      result.focus();
    } catch (error) {
      result.replaceChildren(problem(error));
    }
    result.removeAttribute("aria-busy");
  });
}
