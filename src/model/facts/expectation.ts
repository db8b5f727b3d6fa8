import type { Compression } from "../probe-spec.ts";
import type { ExpectedHealth, Role } from "../target.ts";

/** What the configuration expects of a target: the part of it that detectors judge against. */
export interface Expectation {
  readonly role: Role;
  /** As configured. */
  readonly address: string;
  readonly host: { readonly kind: "name" | "ip" | "unix"; readonly name: string };
  readonly port?: number;
  readonly authority?: string;
  /** Absent: none was stated, and the sniff decides. */
  readonly protocol?: "plaintext" | "tls";
  readonly hasCa: boolean;
  readonly hasClientCertificate: boolean;
  /** Metadata or a client certificate is configured. */
  readonly hasCredentials: boolean;
  /** The file that the server's certificate comes from is named. */
  readonly hasServedFile?: boolean;
  readonly health: { readonly services: readonly string[]; readonly expect: ExpectedHealth };
  /**
   * How long the port may take to listen for the first time. 0 = no time is granted, and the first
   * refusal counts: the one-shot `check` knows no waiting.
   */
  readonly startupMs: number;
  /** Probes configured on this target, by name. */
  readonly probes: readonly {
    readonly name: string;
    readonly method: string;
    readonly everyMs?: number;
    readonly deadlineMs: number;
    readonly objectiveMs?: number;
    readonly hasCredentials: boolean;
    /** Its types come from a descriptor set. */
    readonly hasProtoset?: true;
    /** Absent = identity. */
    readonly compression?: Exclude<Compression, "identity">;
  }[];
}

/**
 * True where one answer and the next may come from two servers: a proxy stands before replicas. The app
 * itself is at an address of its pod; a name of it may be that of a service.
 */
export function mayBeBalanced({ role, host }: Pick<Expectation, "role" | "host">): boolean {
  return role === "upstream" || (host.kind === "name" && host.name !== "localhost");
}
