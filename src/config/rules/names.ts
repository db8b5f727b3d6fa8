import { AGENT_TARGET } from "../../model/target.ts";
import type { Path } from "../path.ts";
import { list, mapping, type RawMapping, text } from "../raw.ts";
import type { Breach, Rule } from "./rule.ts";

/** Names are unique, and one is the agent's own. */
export const uniqueNames: Rule = (root) => [
  ...duplicates(root, "targets"),
  ...duplicates(root, "probes"),
  ...list(root["targets"]).flatMap((target, index): readonly Breach[] =>
    mapping(target)["name"] === AGENT_TARGET
      ? [
          {
            path: ["targets", index, "name"],
            allowed: `another name; ${AGENT_TARGET} is kept for findings about the agent itself`,
          },
        ]
      : [],
  ),
];

/** A probe names a target, and an ignored finding names a code and a target. */
export const references: Rule = (root, { detectors }) => {
  const targets = namesIn(root, "targets");
  const codes = detectors.map(({ code }) => code);
  const probes = list(root["probes"]).flatMap((probe, index) => {
    return oneOf(mapping(probe)["target"], {
      path: ["probes", index, "target"],
      names: targets,
      what: "target",
    });
  });
  const ignores = list(root["ignore"]).flatMap((entry, index) => [
    ...oneOf(mapping(entry)["code"], {
      path: ["ignore", index, "code"],
      names: codes,
      what: "code",
    }),
    ...oneOf(mapping(entry)["target"], {
      path: ["ignore", index, "target"],
      names: [...targets, AGENT_TARGET],
      what: "target",
    }),
  ]);
  return [...probes, ...ignores];
};

function duplicates(root: RawMapping, section: string): readonly Breach[] {
  const names = list(root[section]).map((entry) => text(mapping(entry)["name"]));
  return names.flatMap((name, index): readonly Breach[] => {
    const first = names.indexOf(name);
    return name === undefined || first === index
      ? []
      : [
          {
            path: [section, index, "name"],
            allowed: `a name of its own; ${section}[${first}] has it`,
          },
        ];
  });
}

function namesIn(root: RawMapping, section: string): readonly string[] {
  const names = list(root[section]).map((entry) => text(mapping(entry)["name"]));
  return [...new Set(names)].filter((name) => name !== undefined);
}

interface Reference {
  readonly path: Path;
  readonly names: readonly string[];
  readonly what: "target" | "code";
}

function oneOf(value: unknown, { path, names, what }: Reference): readonly Breach[] {
  const name = text(value);
  if (name === undefined || names.includes(name)) return [];
  const listed = names.slice(0, MOST_LISTED).join(", ") || `a configured ${what}`;
  const isLong = names.length > MOST_LISTED;
  const all = what === "code" ? "a code that grpc-doctor codes lists" : `${listed}, …`;
  return [{ path, allowed: isLong ? all : listed, among: names }];
}

/** A longer list is no help in one line. */
const MOST_LISTED = 12;
