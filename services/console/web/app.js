// Signing in, choosing a pool, and which view is shown.
import { call, OPERATOR, token } from "./api.js";
import { h, idOf, say } from "./dom.js";
import { clusterView } from "./cluster.js";
import { marketView } from "./market.js";
import { matchView } from "./match.js";

const views = { match: matchView, market: marketView, cluster: clusterView };
const view = document.getElementById("view");
const pool = document.getElementById("pool");
const signIn = document.getElementById("sign-in");
const signOut = document.getElementById("sign-out");
let leave = () => {};

const current = () => (location.hash.slice(1) in views ? location.hash.slice(1) : "match");

function show() {
  leave();
  leave = () => {};
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${current()}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  view.replaceChildren();
  if (!token.get() || !pool.value) return;
  document.title = `${current()[0].toUpperCase()}${current().slice(1)} – Warmline console`;
  leave = views[current()](view, pool.value) ?? (() => {});
}

function askForToken(why) {
  token.forget();
  signIn.hidden = false;
  signOut.hidden = true;
  pool.replaceChildren();
  pool.disabled = true;
  document.getElementById("sign-in-problem").textContent = why;
  show();
  document.getElementById("token").focus();
}

async function begin() {
  if (!token.get()) return askForToken("");
  const pools = [];
  try {
    for (let page = ""; pools.length < 1000; ) {
      const answer = await call("PoolService", "ListPools", { actor: OPERATOR, pageSize: 1000, pageToken: page });
      pools.push(...(answer.pools ?? []));
      page = answer.nextPageToken ?? "";
      if (!page) break;
    }
  } catch (error) {
    return askForToken(error.message);
  }
  signIn.hidden = true;
  signOut.hidden = false;
  pool.disabled = false;
  pool.replaceChildren(...pools.map((p) => h("option", { value: idOf(p.name) }, p.displayName || idOf(p.name))));
  if (pools.length === 0) {
    view.replaceChildren(h("p", null, "The token allows no pool, or there is none yet: `warmline import --create-pool` makes one."));
    return;
  }
  say(`${pools.length} pools`);
  show();
}

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = document.getElementById("token");
  token.set(field.value.trim());
  field.value = "";
  begin();
});
signOut.addEventListener("click", () => askForToken(""));
pool.addEventListener("change", show);
window.addEventListener("hashchange", () => {
  show();
  document.getElementById("main").focus();
});
begin();
