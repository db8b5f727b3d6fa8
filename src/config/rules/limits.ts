import type { DetectorRecord, Limit } from "../../model/detector-record.ts";
import { limitText } from "../limit-text.ts";
import type { Path } from "../path.ts";
import { list, mapping, type RawMapping, text } from "../raw.ts";
import { parseDuration, parseSize } from "../units.ts";
import type { Breach, Rule } from "./rule.ts";

/** A limit that another one bounds, as five runs of which six must be slow: the code would be mute. */
export const boundLimits: Rule = (root, { detectors }) => {
  const shared = mapping(root["findings"]);
  const targets = list(root["targets"]).flatMap((target, index) => {
    const own = mapping(mapping(target)["findings"]);
    const path = ["targets", index, "findings"];
    return detectors.flatMap((record) => breachesOf(record, { layers: [shared, own], path }));
  });
  const everywhere = detectors.flatMap((record) =>
    breachesOf(record, { layers: [shared], path: ["findings"] }),
  );
  return [...everywhere, ...targets];
};

interface Stated {
  /** The later one wins; it is the one that is judged. */
  readonly layers: readonly RawMapping[];
  readonly path: Path;
}

function breachesOf(record: DetectorRecord, { layers, path }: Stated): readonly Breach[] {
  const given = layers.map((layer) => mapping(layer[record.code]));
  const judged = given.at(-1) ?? {};
  const valueOf = (name: string, limit: Limit) =>
    given.map((values) => parsed(values[name], limit)).findLast((value) => value !== undefined) ??
    limit.default;
  return Object.entries(record.limits).flatMap(([name, limit]): readonly Breach[] => {
    const upper = limit.atMost === undefined ? undefined : record.limits[limit.atMost];
    if (limit.atMost === undefined || upper === undefined) return [];
    const [low, high] = [valueOf(name, limit), valueOf(limit.atMost, upper)];
    if (low <= high) return [];
    const place = [...path, record.code];
    if (judged[name] !== undefined) {
      const allowed = `at most ${limit.atMost}, which is ${limitText(upper, high)}`;
      return [{ path: [...place, name], allowed }];
    }
    if (judged[limit.atMost] === undefined) return [];
    const allowed = `at least ${name}, which is ${limitText(limit, low)}`;
    return [{ path: [...place, limit.atMost], allowed }];
  });
}

/** A value that the schema refuses bounds nothing. */
function parsed(value: unknown, { unit }: Limit): number | undefined {
  if (unit === "ms") return parseDuration(text(value) ?? "");
  if (unit === "bytes") return parseSize(String(value));
  return typeof value === "number" ? value : undefined;
}
