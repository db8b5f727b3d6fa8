import { parseListen } from "../address.ts";
import { DEFAULTS } from "../defaults.ts";
import { isLoopbackHost } from "../ip.ts";
import type { Path } from "../path.ts";
import { list, mapping, text } from "../raw.ts";
import { formatDuration, parseDuration } from "../units.ts";
import type { Breach, Rule } from "./rule.ts";

/** Two schedules for one probe. */
export const oneSchedule: Rule = (root) =>
  list(root["probes"]).flatMap((entry, index): readonly Breach[] => {
    const { every, cron } = mapping(entry);
    const path = ["probes", index, "cron"];
    const hasBoth = every !== undefined && cron !== undefined;
    return hasBoth
      ? [{ path, found: "cron beside every", allowed: "either every or cron", atKey: true }]
      : [];
  });

/** A run that may outlast its turn, or an objective that no run within the deadline can miss. */
export const probeTimes: Rule = (root) =>
  list(root["probes"]).flatMap((entry, index) => {
    const { every, cron, deadline, expect } = mapping(entry);
    // Five fields of cron cannot say less than a minute.
    const interval = cron === undefined ? ms(every) : MINUTE_MS;
    const path = ["probes", index] as const;
    return [
      ...longer([...path, "deadline"], [ms(deadline), interval], "interval"),
      ...longer(
        [...path, "expect", "latency"],
        [ms(mapping(expect)["latency"]), ms(deadline)],
        "deadline",
      ),
    ];
  });

const MINUTE_MS = 60_000;

function longer(
  path: Path,
  [value, bound]: readonly [number | undefined, number | undefined],
  what: string,
): readonly Breach[] {
  if (value === undefined || bound === undefined || value <= bound) return [];
  const found = `${formatDuration(value)}, longer than the ${what}`;
  return [{ path, found, allowed: `at most ${formatDuration(bound)}` }];
}

/** A certificate without key, or a key without certificate. */
export const certificatePairs: Rule = (root) =>
  list(root["targets"]).flatMap((entry, index): readonly Breach[] => {
    const tls = mapping(mapping(entry)["tls"]);
    const present = ["cert", "key"].filter((name) => tls[name] !== undefined);
    return present.length === 1
      ? [
          {
            path: ["targets", index, "tls"],
            found: `${present[0]} alone`,
            allowed: "cert and key together",
          },
        ]
      : [];
  });

/** The admin listener shows what the agent knows; off loopback it asks for a token. */
export const adminToken: Rule = (root) => {
  const admin = parseListen(text(root["admin"]) ?? DEFAULTS.admin);
  const isOpen = "value" in admin && !isLoopbackHost(admin.value.host ?? "");
  return isOpen && root["adminToken"] === undefined
    ? [{ path: ["admin"], allowed: "an address on loopback, or an adminToken beside it" }]
    : [];
};

/** Two listeners cannot share a port; port 0 is a new one each time. */
export const separatePorts: Rule = (root) => {
  const [listen, admin] = (["listen", "admin"] as const).map((key) =>
    parseListen(text(root[key]) ?? DEFAULTS[key]),
  );
  const isSame =
    listen !== undefined &&
    admin !== undefined &&
    "value" in listen &&
    "value" in admin &&
    listen.value.port === admin.value.port &&
    listen.value.port !== 0;
  return isSame ? [{ path: ["admin"], allowed: "another port than listen" }] : [];
};

function ms(value: unknown): number | undefined {
  return parseDuration(text(value) ?? "");
}
