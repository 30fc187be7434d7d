// The console in a real browser, as people use it: with a token and without, by keyboard, in light and dark, and with text of members that would
// like to be run. node console_test.js <source folder> <warmline program> [folder for screenshots]
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [source, program, shots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const data = mkdtempSync(join(tmpdir(), "warmline-console-"));

async function serve() {
  const child = spawn(program, ["serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--market-interval-ms", "300"]);
  let log = "";
  const ports = await new Promise((found, failed) => {
    child.stderr.on("data", (text) => {
      log += text;
      const match = /listens on port (\d+) \(gRPC\) and (\d+) \(operations\)/.exec(log);
      if (match) found(match);
    });
    child.on("exit", () => failed(new Error(`the server ended: ${log}`)));
  });
  return { child, grpc: `127.0.0.1:${ports[1]}`, url: `http://127.0.0.1:${ports[2]}` };
}

function load(server) {
  const run = (...more) => execFileSync(program, ["import", "--server", server.grpc, "--data-dir", data, "--pool", "rotterdam", ...more]);
  run("--create-pool", join(source, "samples/community.jsonl"));
  execFileSync(join(source, "scripts/story"), [program, server.grpc, data]); // one introduction, from the ask to its outcome
  // More than five seekers of an interest that nobody has, so that a gap is told of; and text that would like to be run, which fewer ask for.
  const rows = [{ member: { name: "eve", kind: "PERSON", displayName: "<img src=x onerror=alert(1)>", introduces: false, interests: [{ interest: "skill:<img src=x onerror=document.title='run'>" }], offer: { helpKinds: ["ADVICE"], openTo: ["POOL"], languages: ["nl"], remote: true, capacity: { openAsks: 3, asksPerWeek: 3 }, confirmation: "SELF_CONFIRMED" } } }];
  for (let i = 0; i < 6; ++i) {
    rows.push({ member: { name: `seeker-${i}`, kind: "PERSON", displayName: `Seeker ${i}`, interests: [{ interest: "skill:welding" }] } });
    rows.push({ need: { name: `weld-${i}`, seeker: `seeker-${i}`, helpKinds: ["ADVICE"], interests: [{ interest: "skill:welding" }, ...(i < 4 ? [{ interest: "skill:<img src=x onerror=document.title='run'>" }] : [])] } });
  }
  const file = join(data, "more.jsonl");
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));
  run(file);
}

async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  assert.deepEqual(violations.map((v) => `${where}: ${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`), []);
}

async function shoot(page, name, fullPage = false) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage });
}

const steps = [];
const step = (name, run) => steps.push([name, run]);

step("without a token nothing is shown", async ({ page, url }) => {
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(url);
  await page.getByRole("heading", { name: "Token" }).waitFor();
  assert.deepEqual(asked.filter((path) => path.startsWith("/warmline")), []);
  assert.equal(await page.locator("#view").textContent(), "");
  await accessible(page, "sign in");
  await shoot(page, "sign-in");
});

step("a wrong token is refused, and says so", async ({ page }) => {
  await page.getByLabel("Token", { exact: true }).fill("a-token-that-nobody-knows");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("is not one that this server knows").waitFor();
});

step("a good token opens it, and stays in this tab alone", async ({ page, context, url }) => {
  const token = readFileSync(join(data, "operator.token"), "utf8").trim();
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Find helpers" }).waitFor();
  assert.equal(await page.getByLabel("Pool").inputValue(), "rotterdam");
  assert.ok(!page.url().includes(token));
  assert.deepEqual(await context.cookies(), []);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  const other = await context.newPage();
  await other.goto(`${url}/console/`);
  await other.getByRole("heading", { name: "Token" }).waitFor();
  await other.close();
});

step("a stored need shows ranked helpers, their parts and their paths, by keyboard alone", async ({ page }) => {
  await page.getByLabel("Need", { exact: true }).focus();
  await page.keyboard.type("amina-first-job");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /helpers fit/ }).waitFor();
  const cards = page.locator(".match");
  const scores = await cards.locator(".score").allTextContents();
  assert.ok(scores.length >= 4, `${scores.length} helpers`);
  assert.deepEqual(scores, [...scores].sort().reverse());
  const first = cards.first();
  const image = first.getByRole("img", { name: /^Score/ });
  assert.match(await image.getAttribute("aria-label"), /interests 0\.\d+/);
  assert.ok((await image.locator("rect").count()) >= 3);
  assert.match(await first.locator(".path").getAttribute("aria-label"), /amina-haddad – /);
  await first.getByText("Parts that add up to the score").click();
  const cells = await first.locator("tbody tr").evaluateAll((rows) => rows.map((row) => row.lastChild.textContent));
  assert.equal(cells.at(-1), scores[0]);
  assert.ok((await page.locator(".removed tbody tr").count()) >= 1);
  await accessible(page, "match");
  await shoot(page, "match");
});

step("the seeker's own view masks who is masked", async ({ page }) => {
  await page.getByLabel("Seen as").selectOption("SEEKER");
  await page.getByRole("button", { name: "Find helpers" }).click();
  await page.getByText("masked until consent").first().waitFor();
  await page.getByLabel("Seen as").selectOption("OPERATOR");
});

step("why somebody is not there is explained", async ({ page }) => {
  await page.getByLabel("Helper").fill("joost-bakker");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByRole("heading", { name: /joost-bakker (can be matched|is not matched)/ }).waitFor();
  await page.getByLabel("Helper").fill("nobody-at-all");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("MEMBER_NOT_FOUND").waitFor();
});

step("a need typed here is answered, with suggestions; what is wrong is named", async ({ page }) => {
  await page.getByLabel("one typed here").check();
  await page.getByLabel("Seeker").fill("amina-haddad");
  await page.getByLabel("Interests, with commas").pressSequentially("skill:tri");
  await page.locator("#suggested option[value='skill:triage']").waitFor({ state: "attached" });
  await page.getByLabel("Interests, with commas").fill("no facet");
  await page.getByRole("button", { name: "Find helpers" }).click();
  await page.getByText(/inline_need\.interests/).first().waitFor();
  await shoot(page, "match-wrong");
  await page.getByLabel("Interests, with commas").fill("skill:triage, hobby:choir");
  await page.getByLabel("Urgency").selectOption("IMMEDIATE");
  await page.getByRole("button", { name: "Find helpers" }).click();
  await page.getByRole("heading", { name: /helpers? fits?/ }).waitFor();
});

step("text of members is shown, and never run", async ({ page }) => {
  await page.getByLabel("a stored need").check();
  await page.getByLabel("Need", { exact: true }).fill("weld-0");
  await page.getByRole("button", { name: "Find helpers" }).click();
  await page.getByText("<img src=x onerror=document.title='run'>").first().waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.notEqual(await page.title(), "run");
});

step("the market says where help is missing", async ({ page }) => {
  await page.getByRole("link", { name: "Market" }).click();
  await page.getByRole("heading", { name: "Are people being helped?" }).waitFor();
  await page.getByRole("row", { name: /skill:welding/ }).getByText("nobody").waitFor();
  assert.ok(Number((await page.locator(".card", { hasText: "Waiting" }).locator(".big").textContent()).replace(",", "")) >= 6);
  assert.equal(await page.locator(".card", { hasText: "Helped" }).locator(".big").textContent(), "100 %");
  await accessible(page, "market");
  await shoot(page, "market", true);
});

step("the cluster shows this replica, its index and its calls", async ({ page }) => {
  await page.getByRole("link", { name: "Cluster" }).click();
  await page.getByRole("row", { name: /\(this one\).*takes calls.*newest/ }).waitFor();
  await page.getByRole("row", { name: /MatchService\/Match / }).waitFor();
  const region = page.getByRole("region", { name: "Replicas" });
  await region.focus();
  await page.waitForTimeout(6_000); // longer than the view rests
  assert.ok(await region.evaluate((node) => node === document.activeElement), "the focus was taken away");
  await page.getByRole("link", { name: "Cluster" }).focus();
  await accessible(page, "cluster");
  await shoot(page, "cluster", true);
});

step("it can be read in the dark and on a telephone", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByRole("link", { name: "Match" }).click();
  await page.getByLabel("Need", { exact: true }).fill("amina-first-job");
  await page.getByRole("button", { name: "Find helpers" }).click();
  await page.getByRole("heading", { name: /helpers fit/ }).waitFor();
  await accessible(page, "dark");
  await shoot(page, "match-dark");
  await page.setViewportSize({ width: 390, height: 844 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
  await accessible(page, "telephone");
  await shoot(page, "match-telephone");
});

step("the token is forgotten on demand", async ({ page }) => {
  await page.getByRole("button", { name: "Forget token" }).click();
  await page.getByRole("heading", { name: "Token" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.equal(await page.locator(".match").count(), 0);
});

let failed = 0;
const server = await serve();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  load(server);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints = [];
  page.on("console", (message) => {
    // What a test provokes: refused calls.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  for (const [name, run] of steps) {
    try {
      await run({ page, context, url: server.url });
      console.log(`ok    ${name}`);
    } catch (error) {
      ++failed;
      console.log(`WRONG ${name}: ${error.stack}`);
      break; // each begins where the last one ended
    }
  }
  if (complaints.length) {
    ++failed;
    console.log(`WRONG the browser complains: ${complaints.join("\n")}`);
  }
} finally {
  await browser.close();
  server.child.kill("SIGINT");
  rmSync(data, { recursive: true, force: true });
}
console.log(`${steps.length} steps, ${failed} failed`);
process.exit(failed ? 1 : 0);
