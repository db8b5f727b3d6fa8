import type { DetectorRecord } from "../../model/detector-record.ts";
import type { ProbeSpec } from "../../model/probe-spec.ts";
import type { Path } from "../path.ts";
import type { RawMapping } from "../raw.ts";

/** What the rules ask of the outside. Each is a function, so that config/ opens no file itself. */
export interface Surroundings {
  readonly detectors: readonly DetectorRecord[];
  readonly fileExists: (path: string) => boolean;
  /** A relative path of the file as the process can open it. */
  readonly resolvePath: (path: string) => string;
  /** What is wrong with a CEL expression; absent = not judged here. */
  readonly celFault?: (expression: string) => string | undefined;
  /** The methods of a descriptor set as `package.Service/Method`, or why it cannot be read. */
  readonly methodsOf?: (
    file: string,
  ) => { readonly methods: readonly string[] } | { readonly fault: string };
  /**
   * What of a probe's call does not fit the types of a descriptor set, each at its path within the probe;
   * absent = not judged here.
   */
  readonly callBreaches?: (file: string, call: ProbeCall) => readonly Breach[];
  /** Which of these files no handshake can be made with, and why; absent = not judged here. */
  readonly tlsFault?: (
    files: Readonly<Partial<Record<TlsFile, string>>>,
  ) => { readonly name: TlsFile; readonly fault: string } | undefined;
}

/** As the file states it, with the content of files that it names. */
export interface ProbeCall extends Pick<ProbeSpec, "method" | "requests"> {
  readonly that: ProbeSpec["expect"]["that"];
}

export type TlsFile = "ca" | "cert" | "key";

/** A mistake that a rule found; where it stands in the file is looked up afterwards. */
export interface Breach {
  readonly path: Path;
  /** Absent = the value as it stands there. */
  readonly found?: string;
  readonly allowed: string;
  /** The valid names, of which the nearest is offered. */
  readonly among?: readonly string[];
  /** True: it is the key that is wrong. */
  readonly atKey?: boolean;
}

/** A condition over several values, or over what a value points at. Values are unchecked. */
export type Rule = (root: RawMapping, surroundings: Surroundings) => readonly Breach[];
