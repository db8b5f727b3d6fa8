import { knownValue, type TargetSnapshot } from "../../model/snapshot.ts";
import { rfc3339 } from "../../model/time.ts";
import { provenProtocol, type XrayReport } from "../../model/xray.ts";
import { reasonText } from "./fault-text.ts";
import { columns, numberText } from "./lines.ts";
import type { Paint } from "./paint.ts";
import type { Standing } from "./standing.ts";

/** What was looked at on one target, and what was seen there, a line for each way of looking. */
export function examinedText({ target, seen }: Standing, paint: Paint): readonly string[] {
  const rows = [
    ["connection", connectionText(seen)],
    ["certificate", certificateText(seen)],
    ["settings", settingsText(seen)],
    ["health", healthText(seen)],
    ["channelz", callsText(seen)],
    ["addresses", addressesText(seen)],
    ["dns", dnsText(seen)],
  ] as const;
  const shown = rows.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]));
  const role = target.role === "app" ? "" : ` (${target.role})`;
  const state = seen.state === "watched" ? "" : `, ${seen.state}`;
  return [
    `${target.name}${role}  ${target.address}${state}`,
    ...columns(shown, paint.width - 4).map((line) => `  ${line}`),
  ];
}

function connectionText(seen: TargetSnapshot): string | undefined {
  const xray = knownValue(seen, "xray")?.latest;
  if (xray === undefined) return undefined;
  const phases = Object.entries(xray.phaseMs).map(([phase, ms]) => `${phase} ${numberText(ms)} ms`);
  const address = xray.dials.at(-1)?.address;
  return [address, provenProtocol(xray), stoppedText(xray), phases.join(", ")]
    .filter((part) => part !== undefined && part !== "")
    .join(" · ");
}

/** How many of a name's addresses were looked at, where it has several. */
function addressesText(seen: TargetSnapshot): string | undefined {
  const xray = knownValue(seen, "xray");
  const count = xray?.latest.addressCount ?? 1;
  if (count === 1) return undefined;
  const looked = Math.min(xray?.looked?.length ?? 0, count);
  return `looked at ${looked} of ${count}`;
}

/** Where it came to an end before its time; a call that was refused is an answer too. */
function stoppedText({ outcome, phase, reason = "other" }: XrayReport): string | undefined {
  if (outcome === "passed" || (outcome === "unsupported" && phase === "rpc")) return undefined;
  const where = phase === undefined ? "" : ` in ${phase}`;
  return `${outcome === "failed" ? "failed" : "ended"}${where}: ${reasonText(reason)}`;
}

function certificateText(seen: TargetSnapshot): string | undefined {
  const tls = knownValue(seen, "xray")?.latest.tls;
  const leaf = tls?.chain[0];
  if (tls === undefined || leaf === undefined) return undefined;
  const names = tls.sans.slice(0, 3).join(", ") || "no names";
  const more = tls.sans.length > 3 ? ` and ${tls.sans.length - 3} more` : "";
  const version = tls.version ?? "TLS";
  return `${version} · ${names}${more} · until ${rfc3339(leaf.notAfter)}`;
}

function settingsText(seen: TargetSnapshot): string | undefined {
  const xray = knownValue(seen, "xray");
  if (xray?.latest.settings === undefined) return undefined;
  const { maxConcurrentStreams, maxHeaderListSize } = xray.latest.settings;
  const headers =
    maxHeaderListSize === undefined ? "" : `, headers up to ${maxHeaderListSize} bytes`;
  return `${maxConcurrentStreams ?? "no limit on"} concurrent streams${headers}`;
}

function healthText(seen: TargetSnapshot): string | undefined {
  const services = knownValue(seen, "health")?.services;
  if (services === undefined) return undefined;
  return Object.entries(services)
    .map(([name, { status, via }]) => `${name === "" ? "(server)" : name} ${status} by ${via}`)
    .join(", ");
}

function callsText(seen: TargetSnapshot): string | undefined {
  const calls = knownValue(seen, "serverCalls");
  const last = calls?.polls.at(-1);
  if (calls === undefined || last === undefined) return undefined;
  const connections = knownValue(seen, "sockets")?.polls.at(-1)?.connections;
  const counts = `${last.started} calls, ${last.failed} failed, ${last.inFlight} in flight`;
  const sockets = connections === undefined ? "" : `, ${connections} connections`;
  return `${calls.implementation} · ${counts}${sockets}`;
}

function dnsText(seen: TargetSnapshot): string | undefined {
  const resolution = knownValue(seen, "resolution");
  if (resolution === undefined) return undefined;
  const cause = resolution.failing?.cause;
  const answer = resolution.answers.slice(0, 4).join(", ") || "no address";
  return `${resolution.name} · ${cause === undefined ? answer : `fails: ${cause}`}`;
}
