import type { Expectation } from "../model/facts/expectation.ts";
import type { FactName, Facts } from "../model/facts/index.ts";
import type { ChangeSince } from "../model/finding.ts";
import type { History, HistoryMark } from "../model/history.ts";
import type { Instant } from "../model/time.ts";

const KEPT_MS = 600_000;
/** A target that changes all the time takes no room from the others. */
const MOST_MARKS_OF_TARGET = 500;
/** A mark is at most 700 bytes as JSON (200 characters of three bytes): 2 MiB hold so many. */
const MOST_MARKS = 2_900;
const TEXT_LENGTH = 200;

type Aspect = ChangeSince["what"];
type Facet<K extends FactName> = {
  readonly what: Aspect;
  readonly fact: K;
  /** As a person reads it; `undefined` = the fact does not tell. */
  readonly text: (value: Facts[K]) => string | undefined;
};
type AnyFacet = { readonly [K in FactName]: Facet<K> }[FactName];

/** What of the facts is worth comparing with the last good state. The epoch is no fact. */
const FACETS: readonly AnyFacet[] = [
  { what: "configuration", fact: "expectation", text: configurationText },
  { what: "certificate", fact: "xray", text: ({ latest }) => latest.tls?.chain[0]?.fingerprint },
  { what: "settings", fact: "xray", text: ({ latest }) => settingsText(latest.settings) },
  { what: "dns", fact: "resolution", text: ({ answers }) => listText(answers) },
  {
    what: "peers",
    fact: "peers",
    text: ({ peers }) => listText(peers.map((peer) => peer.address).toSorted()),
  },
];

/** What a changed fact marks. */
export function marksOf<K extends FactName>(
  fact: K,
  value: Facts[K] | undefined,
): readonly Pick<HistoryMark, "what" | "value">[] {
  if (value === undefined) return [];
  return FACETS.filter((facet) => facet.fact === fact).flatMap((facet) => {
    const text = (facet as unknown as Facet<K>).text(value);
    return text === undefined ? [] : [{ what: facet.what, value: text.slice(0, TEXT_LENGTH) }];
  });
}

/** The history with one more mark of a target; the same object if the value stays. */
export function noted(history: History, target: string, mark: HistoryMark): History {
  const marks = history.targets[target] ?? [];
  const last = marks.findLast(({ what }) => what === mark.what);
  if (last?.value === mark.value) return history;
  const kept = recent([...marks, mark], mark.at).slice(-MOST_MARKS_OF_TARGET);
  return bounded({ targets: { ...history.targets, [target]: kept } });
}

/** Without the marks of a target that is watched no more. */
export function forgotten(history: History, target: string): History {
  const { [target]: _gone, ...targets } = history.targets;
  return { targets };
}

/** The marks of the last 10 min, and of each aspect the newest one before, so that it has a beginning. */
function recent(marks: readonly HistoryMark[], now: Instant): readonly HistoryMark[] {
  const isOld = (mark: HistoryMark) => now - mark.at > KEPT_MS;
  return marks.filter(
    (mark, i) =>
      !isOld(mark) || !marks.slice(i + 1).some((later) => later.what === mark.what && isOld(later)),
  );
}

function bounded(history: History): History {
  const lists = Object.entries(history.targets);
  const total = lists.reduce((sum, [, marks]) => sum + marks.length, 0);
  if (total <= MOST_MARKS) return history;
  const [longest] = lists.toSorted(([, a], [, b]) => b.length - a.length);
  if (longest === undefined) return history;
  const [target, marks] = longest;
  return { targets: { ...history.targets, [target]: marks.slice(total - MOST_MARKS) } };
}

function settingsText(settings: Facts["xray"]["latest"]["settings"]): string | undefined {
  if (settings === undefined) return undefined;
  const sent = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return sent.length === 0 ? "none" : sent.sort().join(", ");
}

/** Cut where it would be too long, and then with the number of all. */
function listText(list: readonly string[]): string | undefined {
  if (list.length === 0) return undefined;
  const text = list.join(", ");
  if (text.length <= TEXT_LENGTH) return text;
  const shown = text.slice(0, TEXT_LENGTH - 20);
  return `${shown.slice(0, shown.lastIndexOf(","))} … ${list.length} in all`;
}

function configurationText(expectation: Expectation): string {
  const { address, authority, protocol, health, probes } = expectation;
  const { hasCa, hasClientCertificate, hasCredentials } = expectation;
  const parts = [
    address,
    authority === undefined ? "" : `authority ${authority}`,
    protocol ?? "",
    hasCa ? "ca" : "",
    hasClientCertificate ? "client certificate" : "",
    hasCredentials ? "credentials" : "",
    `health ${health.expect} of ${health.services.map((name) => `"${name}"`).join(" ")}`,
    probes.length === 0 ? "" : `probes ${probes.map((probe) => probe.name).join(" ")}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
