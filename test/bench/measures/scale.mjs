import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { startAgent } from "../agent.mjs";
import { startCollector } from "../collector.mjs";
import { startNameServer } from "../name-server.mjs";
import { startPeer } from "../peer.mjs";
import { memory, processorMs } from "../process.mjs";

/** The address that stands for one replica of the upstream. */
const UPSTREAM = "127.0.0.5";
const NAME = "orders.shop.svc.cluster.local";
const FLEETS = [10, 1_000, 10_000];
/** What Prometheus does unless it is told otherwise, and what is common. */
const SCRAPE_SECONDS = 30;

/**
 * What one agent asks of everybody around it, and what a fleet does: the tables of docs/scale.md.
 * Two agents run beside each other for so many minutes, after one to settle: one with an app alone,
 * one with an app, an upstream behind a name, a probe and tracing.
 */
export async function scale(commandLine, { minutes }) {
  const [alone, typical] = await Promise.all([
    measure(commandLine, minutes, ({ app }) => ({ address: app })),
    measure(commandLine, minutes, (around) => ({ configuration: typicalConfiguration(around) })),
  ]);
  return [...ofOne(alone, typical), "", ...ofFleets(typical)];
}

async function measure(commandLine, minutes, optionsOf) {
  const collector = await startCollector();
  const names = await startNameServer(UPSTREAM);
  const app = await startPeer(["serve", "-count", "-metrics"]);
  const upstream = await startPeer(["serve", "-count", "-listen", `${UPSTREAM}:0`]);
  const around = {
    app: app.ready.address,
    upstream: `dns://${names.address}/${NAME}:${upstream.ready.port}`,
    collector: collector.url,
  };
  const agent = await startAgent(commandLine, optionsOf(around));
  const look = async () => ({
    app: await countedBy(app, "127.0.0.1"),
    upstream: await countedBy(upstream, UPSTREAM),
    queries: names.queries(),
    spans: collector.seen().spans,
    processorMs: processorMs(agent.pid),
    upstreamMs: processorMs(upstream.pid),
  });
  await delay(60_000);
  const before = await look();
  await delay(minutes * 60_000);
  const after = await look();
  const text = await agent.metrics();
  const figures = {
    mib: memory(agent.pid).rss,
    series: seriesOf(text).length,
    buckets: seriesOf(text).filter((line) => /^\w+_bucket\{/.test(line)).length,
    bytes: text.length,
    gzipped: gzipSync(text).length,
    core: (after.processorMs - before.processorMs) / (minutes * 60_000),
    upstreamCore: (after.upstreamMs - before.upstreamMs) / (minutes * 60_000),
    queries: (after.queries - before.queries) / (minutes * 60),
    spans: (after.spans - before.spans) / (minutes * 60),
    app: rates(before.app, after.app, minutes * 60),
    upstream: rates(before.upstream, after.upstream, minutes * 60),
  };
  await agent.stop();
  await Promise.all([app.stop(), upstream.stop()]);
  names.stop();
  collector.stop();
  return figures;
}

const seriesOf = (text) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

async function countedBy(peer, host) {
  const { counted } = await peer.command("counted");
  return counted[host] ?? { connections: 0, open: 0, calls: 0, pings: 0, bytes: 0, methods: {} };
}

function rates(before, after, seconds) {
  const rate = (key) => (after[key] - before[key]) / seconds;
  const methods = Object.entries(after.methods).map(([name, calls]) => [
    name,
    (calls - (before.methods[name] ?? 0)) / seconds,
  ]);
  return {
    open: after.open,
    dials: rate("connections"),
    calls: rate("calls"),
    pings: rate("pings"),
    bytes: rate("bytes"),
    methods: methods.filter(([, calls]) => calls > 0),
  };
}

const typicalConfiguration = ({ app, upstream, collector }) => `
tracing: { endpoint: "${collector}", ratio: 1 }
targets:
  - { name: app, address: "${app}" }
  - { name: orders, role: upstream, address: "${upstream}" }
probes:
  - { name: check, target: app, method: grpc.health.v1.Health/Check, every: 30s }
`;

/** Rows of one agent: what, with the app alone, with everything. */
function ofOne(alone, typical) {
  const row = (what, of) => `| ${what} | ${of(alone)} | ${of(typical)} |`;
  const perMinute = (value) => (60 * value).toFixed(1);
  const server = (name, pick) => [
    row(`${name}: connections open`, (one) => pick(one).open),
    row(`${name}: connections a minute`, (one) => perMinute(pick(one).dials)),
    row(`${name}: calls a minute`, (one) => perMinute(pick(one).calls)),
    row(`${name}: PINGs a minute`, (one) => perMinute(pick(one).pings)),
    row(`${name}: bytes a second to it`, (one) => pick(one).bytes.toFixed(0)),
  ];
  return [
    "| one agent | app alone | app, upstream, probe, tracing |",
    "|---|---|---|",
    row("resident, MiB", ({ mib }) => mib.toFixed(0)),
    row("processor, % of a core", ({ core }) => (100 * core).toFixed(2)),
    ...server("app", ({ app }) => app),
    ...server("upstream", ({ upstream }) => upstream),
    row("upstream: processor, % of a core", (one) => (100 * one.upstreamCore).toFixed(3)),
    row("DNS queries a minute", ({ queries }) => perMinute(queries)),
    row("series", ({ series }) => series),
    row("of them buckets", ({ buckets }) => buckets),
    row("bytes of a scrape", ({ bytes }) => bytes),
    row("bytes of a scrape, gzip", ({ gzipped }) => gzipped),
    row("spans a minute, at a ratio of 1", ({ spans }) => perMinute(spans)),
    "",
    `Calls a minute to the app: ${methodsOf(typical.app)}.`,
    `To the upstream: ${methodsOf(typical.upstream)}.`,
  ];
}

const methodsOf = ({ methods }) =>
  methods
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, calls]) => `\`${name.split("/").at(-1)}\` ${(60 * calls).toFixed(1)}`)
    .join(", ");

/** Columns of fleets, all agents together. */
function ofFleets({ mib, core, queries, spans, series, bytes, gzipped, upstream }) {
  const row = (what, one, unit = "") =>
    `| ${what} | ${FLEETS.map((agents) => `${amount(agents * one)}${unit}`).join(" | ")} |`;
  return [
    `| all agents together | ${FLEETS.map((agents) => amount(agents)).join(" | ")} |`,
    `|---|${FLEETS.map(() => "---|").join("")}`,
    row("nodes: memory, GiB", mib / 1_024),
    row("nodes: processor, cores", core),
    row("DNS: queries a second", queries),
    row("Prometheus: series", series),
    row("Prometheus: samples a second", series / SCRAPE_SECONDS),
    row("Prometheus: scraped, KiB a second", bytes / 1_024 / SCRAPE_SECONDS),
    row("Prometheus: the same, gzip", gzipped / 1_024 / SCRAPE_SECONDS),
    row("collector: spans a second, at the usual ratio of 0.1", 0.1 * spans),
    row("upstreams: connections open", upstream.open),
    row("upstreams: connections a second", upstream.dials),
    row("upstreams: calls a second", upstream.calls),
    row("upstreams: PINGs a second", upstream.pings),
  ];
}

function amount(value) {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return value >= 10 ? value.toFixed(0) : value.toPrecision(2);
}
