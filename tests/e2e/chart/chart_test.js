// The chart over a matrix of values: linted, rendered, every manifest checked against the schemas of Kubernetes with unknown fields refused, and
// every flag, port and path that it names against the program. node chart_test.js <source folder> <warmline program>
import {execFileSync, spawnSync} from "node:child_process";
import {readFileSync} from "node:fs";
import path from "node:path";
import {fileURLToPath} from "node:url";
import ts from "typescript";
import {parseAllDocuments} from "yaml";

const [root, program] = process.argv.slice(2);
const chart = path.join(root, "charts/warmline");
const helm = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules/.bin/helm");
const failures = [];
const fail = (where, what) => failures.push(`${where}: ${what}`);

function render(values) {
  const sets = Object.entries(values).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  return spawnSync(helm, ["template", "release", chart, "--namespace", "city", "--kube-version", "v1.28.0", ...sets], {encoding: "utf8", maxBuffer: 1 << 26});
}

// Every combination of these.
const axes = [
  [{profile: "cluster"}, {profile: "embedded"}],
  [{}, {"tls.secret": "tls"}, {"tls.secret": "tls", "tls.clientCaKey": "ca.crt", "operations.tls": true}],
  [{}, {"autoscaling.enabled": true, "front.enabled": false}],
  [{}, {"monitoring.serviceMonitor.enabled": true, "monitoring.rules.enabled": true, "monitoring.dashboards.enabled": true}],
  [{}, {"networkPolicy.enabled": false, "podDisruptionBudget.enabled": false, "migration.enabled": false, "serviceAccount.create": false, "operations.console": false}],
  [{}, {"redis.url": ""}, {"redis.passwordSecret.name": "redis", "service.grpcPort": 8443, "front.image.digest": "sha256:" + "b".repeat(64), "front.maxCalls": 5000, "front.threads": 2, "front.idleStream": "2h", "drain.delay": 1500}],
  [{}, {"webhook.url": "https://portal.example/events", "service.type": "LoadBalancer", "persistence.storageClass": "fast", "image.digest": "sha256:" + "a".repeat(64)}, {"jwt.issuer": "https://login.example", "jwt.audience": "warmline", "tokens.secret": "", "audit.enabled": true, "audit.secret.name": "audit"}],
  [{}, {"nodeSelector.disk": "ssd", "podAnnotations.team": "city", "podLabels.tier": "api", priorityClassName: "high", "image.pullSecrets[0].name": "registry", "extraEnv[0].name": "WARMLINE_MAX_IN_FLIGHT", "extraEnv[0].value": "\"4000\""}],
];
const matrix = axes.reduce((all, axis) => all.flatMap(values => axis.map(more => ({...values, ...more}))), [{}]);

const models = new Map();
async function modelOf(manifest) {
  const key = `${manifest.apiVersion}/${manifest.kind}`;
  if (!models.has(key)) {
    const from = manifest.apiVersion.startsWith("monitoring.coreos.com/") ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";
    const found = await import(`${from}/${manifest.apiVersion}/${manifest.kind}`);
    models.set(key, found[manifest.kind] ?? found.default[manifest.kind]);
  }
  return models.get(key);
}

// Flags as the program has them.
const help = execFileSync(program, ["serve", "--help"], {encoding: "utf8"});
const migrateHelp = execFileSync(program, ["migrate", "--help"], {encoding: "utf8"});
const pages = new Set([...readFileSync(path.join(root, "services/console/operations_server.cpp"), "utf8").matchAll(/server(?:->|\.)Get\("([^"]+)"/g)].map(m => m[1]));

// The front's own configuration names what it reads from the environment.
const frontConfig = readFileSync(path.join(root, "deploy/front/haproxy.cfg"), "utf8");
const frontNames = new Set([...(frontConfig + readFileSync(path.join(root, "deploy/front/certificates.lua"), "utf8")).matchAll(/WARMLINE_FRONT_[A-Z_]+/g)].map(m => m[0]));

// The front takes the API's port, and Warmline listens where nobody outside of the pod reaches it.
function checkFront(where, spec, front) {
  const env = container => new Map(container.env.map(e => [e.name, e.value]));
  const of = env(front), server = env(spec.containers.find(c => c.name === "warmline"));
  for (const name of of.keys()) if (!frontNames.has(name)) fail(where, `${name} is nothing that the front's configuration reads`);
  const ports = new Map(front.ports.map(p => [p.name, p.containerPort]));
  if (of.get("WARMLINE_FRONT_LISTEN") !== `0.0.0.0:${ports.get("grpc")}`) fail(where, `the front listens on ${of.get("WARMLINE_FRONT_LISTEN")}, and port grpc is ${ports.get("grpc")}`);
  if (of.get("WARMLINE_FRONT_STATUS_LISTEN") !== `0.0.0.0:${ports.get("front-status")}`) fail(where, "the front's health is asked for at another port");
  if (of.get("WARMLINE_FRONT_SERVER") !== server.get("WARMLINE_LISTEN") || !server.get("WARMLINE_LISTEN").startsWith("127.0.0.1:")) fail(where, `the front calls ${of.get("WARMLINE_FRONT_SERVER")}, and Warmline listens on ${server.get("WARMLINE_LISTEN")}`);
  if (of.has("WARMLINE_FRONT_SERVER_TLS") !== server.has("WARMLINE_TLS_CERT_FILE")) fail(where, "front and server do not agree on TLS");
  if (server.has("WARMLINE_TLS_CLIENT_CA_FILE")) fail(where, "Warmline asks the front for a certificate");
  const wait = Number(front.lifecycle.preStop.exec.command[1]);
  if (!(wait * 1000 >= Number(server.get("WARMLINE_DRAIN_DELAY_MS")))) fail(where, `the front goes after ${wait} s, while Warmline still answers`);
  const volumes = new Set((spec.volumes ?? []).map(v => v.name));
  for (const mount of front.volumeMounts) if (!volumes.has(mount.name)) fail(where, `volume ${mount.name} does not exist`);
  for (const [name, value] of of) if (/_(FILE|LUA|DIR)$/.test(name) && !front.volumeMounts.some(m => value.startsWith(m.mountPath))) fail(where, `${name}=${value} lies in no volume`);
  if (!front.securityContext.readOnlyRootFilesystem || front.securityContext.allowPrivilegeEscalation !== false) fail(where, "the front may do more than it must");
}

function checkPod(where, spec) {
  const volumes = new Set([...(spec.volumes ?? []).map(v => v.name), "data"]);
  const front = spec.containers.find(c => c.name === "front");
  if (front) checkFront(where, spec, front);
  for (const container of spec.containers.filter(c => c !== front)) {
    const text = container.args[0] === "migrate" ? migrateHelp : help;
    const seen = new Set();
    for (const {name} of container.env) {
      if (seen.has(name)) fail(where, `environment ${name} stands there twice`);
      seen.add(name);
      if (name.startsWith("WARMLINE_") && !text.includes(`(Env:${name})`)) fail(where, `${name} is no option of warmline ${container.args[0]}`);
    }
    for (const {name, value} of container.env) {
      const mount = container.volumeMounts.find(m => (value ?? "").startsWith(m.mountPath));
      if (name.endsWith("_FILE") && value !== "-" && !mount) fail(where, `${name}=${value} lies in no volume`);
    }
    for (const mount of container.volumeMounts) if (!volumes.has(mount.name)) fail(where, `volume ${mount.name} does not exist`);
    const ports = new Map((container.ports ?? []).map(p => [p.name, p.containerPort]));
    for (const [port, env] of [["grpc", "WARMLINE_LISTEN"], ["operations", "WARMLINE_OPS_LISTEN"]].slice(front ? 1 : 0)) {
      const listen = container.env.find(e => e.name === env)?.value;
      if (ports.size && listen !== `0.0.0.0:${ports.get(port)}`) fail(where, `${env} is ${listen}, and port ${port} ${ports.get(port)}`);
    }
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      if (ports.size && !pages.has(container[probe]?.httpGet.path)) fail(where, `${probe} asks for ${container[probe]?.httpGet.path}, which the program does not serve`);
    }
    if (!container.securityContext.readOnlyRootFilesystem || container.securityContext.allowPrivilegeEscalation !== false) fail(where, "the container may do more than it must");
    const ms = name => Number(container.env.find(e => e.name === name)?.value ?? 0);
    const drain = ms("WARMLINE_DRAIN_DELAY_MS") + ms("WARMLINE_DRAIN_TIMEOUT_MS");
    if (ports.size && !(spec.terminationGracePeriodSeconds * 1000 > drain)) fail(where, `grace of ${spec.terminationGracePeriodSeconds} s is no longer than the drain of ${drain} ms`);
  }
  if (!spec.securityContext.runAsNonRoot) fail(where, "runs as root");
}

let manifests = 0;
const different = new Map();
for (const values of matrix) {
  const where = JSON.stringify(values);
  const rendered = render(values);
  if (rendered.status !== 0) {
    fail(where, rendered.stderr.split("\n").filter(line => !line.includes("symbolic link")).join("\n"));
    continue;
  }
  const names = new Set();
  for (const document of parseAllDocuments(rendered.stdout, {strict: true, uniqueKeys: true})) {
    if (document.errors.length) fail(where, document.errors[0].message);
    const manifest = document.toJS();
    if (!manifest) continue;
    ++manifests;
    const at = `${where}: ${manifest.kind} ${manifest.metadata.name}`;
    if (names.has(manifest.kind + manifest.metadata.name)) fail(at, "stands there twice");
    names.add(manifest.kind + manifest.metadata.name);
    different.set(JSON.stringify(manifest), {at, manifest});
    try {
      const Model = await modelOf(manifest);
      new Model(manifest).validate();
    } catch (error) {
      fail(at, error.message);
    }
    if (manifest.kind === "ServiceMonitor") {
      for (const {port, relabelings} of manifest.spec.endpoints) {
        const job = relabelings?.find(r => r.targetLabel === "job")?.replacement;
        if ((port === "front-status") !== (job === "warmline-front")) fail(at, `the port ${port} is watched as the job ${job ?? "warmline"}`);
      }
    }
    const pod = manifest.spec?.template?.spec;
    if (pod) checkPod(at, pod);
    if (manifest.kind === "ConfigMap") {
      for (const [file, text] of Object.entries(manifest.data)) {
        if (file.endsWith(".json")) JSON.parse(text);
        else if (text !== readFileSync(path.join(root, "deploy/front", file), "utf8")) fail(at, `${file} is not that of deploy/front`);
      }
    }
  }
  const kind = values.profile === "cluster" ? "Deployment" : "StatefulSet";
  if (![...names].some(n => n.startsWith(kind))) fail(where, `there is no ${kind}`);
  if (names.has("ConfigMaprelease-warmline-front") === (values["front.enabled"] === false)) fail(where, "the front's configuration is there without the front, or the other way round");
}

// Fields that Kubernetes does not know: the schemas let them pass, the types of the same package do not. Each different manifest once, and two
// wrong ones, or the check would say nothing.
const folder = path.dirname(fileURLToPath(import.meta.url));
function unknownFields(manifests) {
  const file = path.join(folder, "manifests.ts");
  const lines = manifests.map(({manifest}, i) => {
    const from = manifest.apiVersion.startsWith("monitoring.coreos.com/") ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";
    return `export const m${i}: import("${from}/${manifest.apiVersion}/${manifest.kind}").I${manifest.kind} = ${JSON.stringify(manifest)};`;
  });
  const options = {strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10};
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version) => name === file ? ts.createSourceFile(name, lines.join("\n"), version) : read(name, version);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(d => {
    const line = d.file?.fileName === file ? d.file.getLineAndCharacterOfPosition(d.start).line : -1;
    return {at: line < 0 ? "types" : manifests[line].at, what: ts.flattenDiagnosticMessageText(d.messageText, " ")};
  });
}
for (const {at, what} of unknownFields([...different.values()])) fail(at, what);
const container = {name: "x", imagePullPolice: "Never"};
const wrong = [{apiVersion: "apps/v1", kind: "Deployment", spec: {selector: {}, template: {spec: {containers: [container]}}}}, {apiVersion: "v1", kind: "Service", spec: {port: []}}];
if (new Set(unknownFields(wrong.map((manifest, i) => ({at: i, manifest}))).map(e => e.at)).size !== 2) fail("types", "an unknown field passed");

const refused = [{profile: "both"}, {replica: 3}, {"tls.secrt": "x"}, {"service.grpcPort": 80}, {"image.digest": "sha1:x"}, {"drain.delay": -1}, {"persistence.size": "10"}, {"tokens.secret": ""}, {"jwt.issuer": "https://login.example"}, {"operations.tls": true}, {"front.serverPort": 7700}, {"front.maxCalls": 0}, {"front.idleStream": "soon"}, {"front.images": "x"}];
for (const values of refused) if (render(values).status === 0) fail(JSON.stringify(values), "was not refused");

const lint = spawnSync(helm, ["lint", "--strict", chart], {encoding: "utf8"});
if (lint.status !== 0) fail("helm lint", lint.stdout + lint.stderr);

for (const failure of failures.slice(0, 20)) console.error(failure);
console.log(`${matrix.length} combinations of values, ${manifests} manifests (${different.size} different), ${refused.length} wrong values refused, ${failures.length} failures`);
process.exit(failures.length ? 1 : 0);
