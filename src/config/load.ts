import { nearest } from "../model/nearest.ts";
import type { Settings } from "../model/settings.ts";
import { type ConfigDocument, readDocument } from "./document.ts";
import { ConfigError, type Fault, faultText } from "./fault.ts";
import { allowedText, breachesOf } from "./issues.ts";
import { isSecretPath, isShownFile, type Path, pathText } from "./path.ts";
import { mapping, valueAt } from "./raw.ts";
import { RULES } from "./rules/index.ts";
import type { Breach, Surroundings } from "./rules/rule.ts";
import { configSchema } from "./schema/config.ts";
import { type Outside, settingsFrom } from "./settings-from.ts";
import type { Environment } from "./variables.ts";

export interface LoadOptions
  extends Pick<Surroundings, "detectors" | "celFault" | "methodsOf" | "callBreaches" | "tlsFault">,
    Pick<Outside, "logFormat"> {
  /** The file's content. */
  readonly text: string;
  /** Its name, as faults show it. */
  readonly file: string;
  readonly environment: Environment;
  readonly fileExists: (path: string) => boolean;
  /** The content of a small file, for `request: "@file"`; throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  /** Makes a relative path absolute, from the file's folder. Absent = paths stay as they are. */
  readonly resolvePath?: (path: string) => string;
}

/**
 * The settings of one configuration file, complete and checked. Throws `ConfigError` with every
 * fault at once: syntax first, as nothing can be told of a file that cannot be read; then unset
 * variables, the schema and the rules together.
 */
export function loadSettings(options: LoadOptions): Settings {
  const { text, file, environment, detectors, resolvePath = (path) => path } = options;
  const document = readDocument(text, file, environment);
  if (document.value === undefined) throw new ConfigError(document.faults);

  const parsed = configSchema(detectors).safeParse(document.value, { error: allowedText });
  const surroundings = { ...options, resolvePath };
  const breaches = [
    ...(parsed.error?.issues ?? []).flatMap(breachesOf),
    ...RULES.flatMap((rule) => rule(mapping(document.value), surroundings)),
  ];
  const faults = withBreaches(document, file, breaches);
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults);

  const outside = { ...surroundings, requestFaults: [] as Breach[] };
  const settings = settingsFrom(parsed.data, outside);
  const { requestFaults } = outside;
  const unfit = requestFaults.length > 0 ? requestFaults : unfitCalls(settings, document, options);
  if (unfit.length > 0) throw new ConfigError(withBreaches(document, file, unfit));
  return settings;
}

/** Calls that do not fit their types, where a descriptor set has them; else the first run tells. */
function unfitCalls(
  { probes, targets }: Settings,
  document: ConfigDocument,
  { callBreaches }: LoadOptions,
): readonly Breach[] {
  if (callBreaches === undefined) return [];
  return probes.flatMap((probe, index) => {
    const { method, requests, expect } = probe;
    const protoset = probe.protoset ?? targets.find(({ name }) => name === probe.target)?.protoset;
    if (protoset === undefined) return [];
    const breaches = callBreaches(protoset, { method, requests, that: expect.that });
    return breaches.map((breach) => atWritten(document, ["probes", index], breach));
  });
}

/**
 * A message is looked for at its place in a list, then as the request itself; a key that stands deeper,
 * or in a file of its own, is told at the request.
 */
function atWritten({ value }: ConfigDocument, probe: Path, breach: Breach): Breach {
  const [part = "", , ...rest] = breach.path;
  const paths = [breach.path, [part, ...rest]].map((path) => [...probe, ...path]);
  const path = paths.find((each) => valueAt(value, each) !== undefined);
  if (path !== undefined) return { ...breach, path };
  const { among: _names, atKey: _key, ...told } = breach;
  return { ...told, path: [...probe, part] };
}

/** All faults in the order of the file; what lies in or under a faulty place is not told again. */
function withBreaches(
  document: ConfigDocument,
  file: string,
  breaches: readonly Breach[],
): readonly Fault[] {
  const faults = [...document.faults];
  const told = new Set(faults.map(({ path }) => path));
  for (const breach of breaches) {
    const ancestors = breach.path.map((_, index) => pathText(breach.path.slice(0, index + 1)));
    if (ancestors.some((path) => told.has(path))) continue;
    told.add(pathText(breach.path));
    faults.push(faultOf(document, file, breach));
  }
  return faults
    .toSorted((a, b) => a.line - b.line || a.column - b.column || compare(a, b))
    .slice(0, MOST_FAULTS);
}

/** Who made more mistakes than this mends these first. */
const MOST_FAULTS = 100;

function compare(a: Fault, b: Fault): number {
  return faultText(a) < faultText(b) ? -1 : 1;
}

function faultOf(document: ConfigDocument, file: string, breach: Breach): Fault {
  const { path, allowed, among = [], atKey = false } = breach;
  const value = valueAt(document.value, path);
  const { line, column } = atKey ? document.keyPlace(path) : document.place(path);
  const written = atKey ? path.at(-1) : value;
  const meant = typeof written === "string" ? nearest(written, among) : undefined;
  return {
    file,
    line,
    column,
    path: pathText(path),
    found: breach.found ?? foundText(document, path, value),
    allowed,
    ...(meant === undefined ? {} : { nearest: meant }),
  };
}

/** The value as the file writes it, so that a variable's content is never shown. */
function foundText(document: ConfigDocument, path: Breach["path"], value: unknown): string {
  if (value === undefined) return "nothing";
  const isHidden = typeof value === "string" && !isShownFile(path, value);
  if (isHidden || isSecretPath(path)) return "a value (not shown)";
  return shownText(document, path, value);
}

function shownText(document: ConfigDocument, path: Breach["path"], value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value === null) return "an empty value";
  if (typeof value === "object") return "a mapping";
  const written = document.place(path).source ?? JSON.stringify(value);
  return /^[\w.:/-]+$/.test(written) ? written : JSON.stringify(written);
}
