// The reads of the API as JSON (docs/console.md). The token stays in this tab: it is in no address, cookie or file.
const KEY = "warmline-token";

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

export class ApiError extends Error {
  constructor(status, body) {
    super(body.message ?? `the server answered ${status}`);
    this.code = body.code ?? String(status);
    const details = (body.details ?? []).map((detail) => detail.debug ?? {});
    this.reason = details.find((detail) => detail.reason)?.reason ?? "";
    this.violations = details.flatMap((detail) => detail.fieldViolations ?? []);
  }
}

export async function call(service, method, request) {
  let response;
  try {
    response = await fetch(`/warmline.v1.${service}/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token.get()}`, "Connect-Timeout-Ms": "15000" },
      body: JSON.stringify(request),
    });
  } catch {
    throw new ApiError(0, { code: "unavailable", message: "the server does not answer: is it still running?" });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, body);
  return body;
}

export const OPERATOR = { audience: "OPERATOR" };

// Metrics, as {name: [{labels, value}]}.
export async function metrics() {
  const text = await (await fetch("/metrics")).text();
  const found = {};
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match || line.startsWith("#")) continue;
    const labels = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
    (found[match[1]] ??= []).push({ labels, value: Number(match[3]) });
  }
  return found;
}
