import {
  type Document,
  isAlias,
  isMap,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type ToStringOptions,
  type YAMLMap,
} from "yaml";
import { jsonIndent, jsonText } from "./json-text.ts";
import { keepLayout } from "./keep-layout.ts";
import { endedLike, withLineFeeds } from "./line-ends.ts";
import type { Plain } from "./plain.ts";

/** Where something is wrong. Lines and columns begin at 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A mistake in the manifests: nothing is written. */
export interface ManifestFault extends Place {
  readonly text: string;
}

/** All that is wrong with the manifests, in the order of the file. */
export class ManifestError extends Error {
  readonly faults: readonly ManifestFault[];

  constructor(faults: readonly ManifestFault[]) {
    super(faults.map(({ line, column, text }) => `${line}:${column}: ${text}`).join("\n"));
    this.name = "ManifestError";
    this.faults = faults;
  }
}

/** An object of Kubernetes in the file: a document, or an item of a List. */
export interface Manifest {
  readonly node: YAMLMap;
  /** Its values; every scalar is a text. */
  readonly plain: () => Plain;
  /** Changes its nodes, and says whether `edit` did: its document is written anew, and no other. */
  readonly change: (edit: () => boolean) => boolean;
}

export interface Manifests {
  readonly all: readonly Manifest[];
  readonly placeOf: (node: unknown) => Place;
  /** What was not changed stays as it is, to the byte. */
  readonly print: () => string;
}

/**
 * Reads a stream of YAML documents. Scalars are not interpreted: a mode `0644`, a `no` or a number of
 * twenty digits come out as they went in, whatever a version of YAML makes of them.
 */
export function parseManifests(text: string): Manifests {
  const lines = new LineCounter();
  const documents = documentsOf(text, lines);
  /** Documents that were changed, as they would have been written before. */
  const touched = new Map<Document.Parsed, string>();
  const sourceOf = (document: Document.Parsed) => {
    const index = documents.indexOf(document);
    return text.slice(index === 0 ? 0 : document.range[0], documents[index + 1]?.range[0]);
  };
  const written = (document: Document.Parsed) => {
    const source = sourceOf(document);
    const json = jsonIn(document, text);
    return json === undefined
      ? document.toString(mannerOf(withLineFeeds(source)))
      : withLineFeeds(json.before) +
          jsonText(document.contents, json.indent) +
          withLineFeeds(json.after);
  };
  const all = documents.flatMap((document) =>
    objectsIn(document.contents).map(
      (node): Manifest => ({
        node,
        plain: () => node.toJS(document) as Plain,
        change: (edit) => {
          const normal = written(document);
          const isChanged = edit();
          if (isChanged && !touched.has(document)) touched.set(document, normal);
          return isChanged;
        },
      }),
    ),
  );
  return {
    all,
    placeOf: (node) => placeAt(lines, (node as { range?: readonly number[] } | null)?.range?.[0]),
    print: () =>
      documents
        .map((document) => {
          const normal = touched.get(document);
          const source = sourceOf(document);
          if (normal === undefined) return source;
          return endedLike(source, laidOut(withLineFeeds(source), normal, written(document)));
        })
        .join(""),
  };
}

function documentsOf(text: string, lines: LineCounter): readonly Document.Parsed[] {
  try {
    const documents = [
      ...parseAllDocuments(text, { schema: "failsafe", lineCounter: lines, prettyErrors: false }),
    ] as Document.Parsed[];
    // Later errors are mostly echoes of the first.
    const [error] = documents.flatMap((document) => document.errors);
    if (error !== undefined)
      throw new ManifestError([{ ...placeAt(lines, error.pos[0]), text: error.message }]);
    return documents;
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new ManifestError([{ line: 1, column: 1, text: "values are nested too deep" }]);
  }
}

function objectsIn(contents: unknown): readonly YAMLMap[] {
  if (!isMap(contents)) return [];
  const items = contents.get("items");
  if (contents.get("kind") !== "List" || !isSeq(items)) return [contents];
  return items.items.filter((item) => isMap(item));
}

/** The mapping at a path, or whose alias stands in its place; `undefined` = neither. */
export function childMap(
  node: YAMLMap,
  path: readonly string[],
): YAMLMap | "behind an alias" | undefined {
  let found = node;
  for (const key of path) {
    const next = found.get(key, true);
    if (isAlias(next)) return "behind an alias";
    if (!isMap(next)) return undefined;
    found = next;
  }
  return found;
}

/** Layout is a nicety: where it would say anything else than the changed document, it is let go. */
function laidOut(source: string, normal: string, changed: string): string {
  const kept = keepLayout(source, normal, changed);
  return JSON.stringify(valuesOf(kept)) === JSON.stringify(valuesOf(changed)) ? kept : changed;
}

/** What a text says, and whether it says it in JSON. */
function valuesOf(text: string): readonly unknown[] {
  return parseAllDocuments(text, { schema: "failsafe" }).map((document) => [
    document.toJS(),
    document.errors.length,
    jsonIn(document as Document.Parsed, text) !== undefined,
  ]);
}

/** Where a document is JSON: its layout, and what stands around it. */
function jsonIn({ contents, range }: Document.Parsed, text: string) {
  if (!isMap(contents) || contents.range === undefined || contents.range === null) return undefined;
  const [from, to] = contents.range;
  const indent = jsonIndent(text.slice(from, to));
  if (indent === undefined) return undefined;
  return { indent, before: text.slice(range[0], from), after: text.slice(to, range[2]) };
}

/** How the document itself is written, as far as that can be said of the whole. */
function mannerOf(source: string): ToStringOptions {
  return {
    lineWidth: 0,
    indent: /^[^\s#-].*:[ ]*\n( {2,8})[^\s#-]/m.exec(source)?.[1]?.length ?? 2,
    indentSeq: !/^( *)[^\s#-][^\n]*:[ ]*\n\1- /m.test(source),
    flowCollectionPadding: !/[[{][^\s\]}]/.test(source) || /\{ [^\s]/.test(source),
  };
}

function placeAt(lines: LineCounter, offset = 0): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
