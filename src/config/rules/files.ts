import { compiledTypes } from "../compiled-types.ts";
import { isShownFile, type Path } from "../path.ts";
import { list, mapping, text, valueAt } from "../raw.ts";
import type { Breach, Rule, Surroundings, TlsFile } from "./rule.ts";

/** Files that the configuration names exist; types come compiled. */
export const files: Rule = (root, surroundings) => {
  const named: readonly Path[] = [
    ["adminToken"],
    ...list(root["targets"]).flatMap((target, index) => {
      const path = ["targets", index] as const;
      const tls = ["ca", "cert", "key", "servedFrom"].map((name) => [...path, "tls", name]);
      return [...tls, [...path, "protoset"], ...metadataFiles(path, target)];
    }),
    ...list(root["probes"]).flatMap((probe, index) => {
      const path = ["probes", index] as const;
      return [[...path, "protoset"], ...metadataFiles(path, probe)];
    }),
  ];
  const direct = named.flatMap((path) => missing(path, text(valueAt(root, path)), surroundings));
  const requests = list(root["probes"]).flatMap((probe, index) => {
    const request = text(mapping(probe)["request"]);
    const file = request?.startsWith("@") === true ? request.slice(1) : undefined;
    return missing(["probes", index, "request"], file, surroundings);
  });
  return [...direct, ...requests];
};

const TLS_FILES: Readonly<Record<TlsFile, string>> = {
  ca: "a file with a whole certificate (PEM)",
  cert: "a file with a whole certificate (PEM)",
  key: "a file with the private key of `cert` (PEM)",
};

/** Files that exist hold what a handshake can be made with. */
export const tlsMaterial: Rule = (root, { tlsFault, fileExists, resolvePath }) =>
  list(root["targets"]).flatMap((target, index) => {
    const tls = mapping(mapping(target)["tls"]);
    const stated = (Object.keys(TLS_FILES) as TlsFile[]).flatMap((name) => {
      const file = text(tls[name]);
      return file === undefined || file === "" ? [] : [[name, resolvePath(file)] as const];
    });
    if (tlsFault === undefined || !stated.every(([, file]) => fileExists(file))) return [];
    const fault = tlsFault(Object.fromEntries(stated));
    if (fault === undefined) return [];
    const path = ["targets", index, "tls", fault.name];
    return [
      { path, found: `${text(tls[fault.name])} (${fault.fault})`, allowed: TLS_FILES[fault.name] },
    ];
  });

function metadataFiles(path: Path, entry: unknown): readonly Path[] {
  const keys = Object.keys(mapping(mapping(entry)["metadata"]));
  return keys.map((key) => [...path, "metadata", key, "file"]);
}

function missing(
  path: Path,
  file: string | undefined,
  { fileExists, resolvePath }: Surroundings,
): readonly Breach[] {
  if (file === undefined || file === "") return [];
  if (path.at(-1) === "protoset" && file.endsWith(".proto"))
    return [{ path, allowed: compiledTypes(file) }];
  if (fileExists(resolvePath(file))) return [];
  const shown = isShownFile(path, file) ? file : "a name (not shown)";
  return [{ path, found: `${shown}, which is not there`, allowed: "a file that exists" }];
}
