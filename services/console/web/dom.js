// Elements made of plain text and attributes: nothing is ever parsed as markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false) node.append(child);
  }
  return node;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// For screen readers: what has just happened.
export function say(text) {
  document.getElementById("said").textContent = text;
}

// What is said of an error of the API.
export function problem(error) {
  const reason = error.reason ? ` (${error.reason})` : "";
  const wrong = error.violations ?? [];
  return h("div", { class: "problem", role: "alert" },
    wrong.length > 1
      ? [h("p", null, `${wrong.length} things are wrong${reason}:`), h("ul", null, wrong.map((v) => h("li", null, `${v.field}: ${v.description}`)))]
      : h("p", null, `${error.message}${reason}`));
}

export function table(caption, heads, rows, attributes) {
  const made = h("table", attributes,
    h("caption", null, caption),
    h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", null, rows.map((row) => h("tr", null, row.map((cell, i) => (i === 0 ? h("th", { scope: "row" }, cell) : h("td", null, cell)))))));
  // On a narrow screen it is moved sideways, by keyboard too.
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, made);
}

const ONE = 1 << 20;
export const unit = (value) => ((value ?? 0) / ONE).toFixed(3);
export const number = (value) => Number(value ?? 0).toLocaleString("en");
export const percent = (part, whole) => (Number(whole) > 0 ? `${Math.round((100 * Number(part ?? 0)) / Number(whole))} %` : "–");
// ADVICE_ONLY: "advice only".
export const words = (name) => String(name ?? "").toLowerCase().replaceAll("_", " ");
export const idOf = (name) => String(name ?? "").split("/").pop();

// protobuf's JSON of a duration: "5400s".
export function duration(text) {
  const seconds = parseFloat(text ?? "0");
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}
