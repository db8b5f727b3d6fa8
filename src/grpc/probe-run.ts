import type { Json } from "../model/json.ts";
import type { ProbePhase } from "../model/phase.ts";
import type { ProbeSpec } from "../model/probe-spec.ts";
import type { Reason } from "../model/reason.ts";
import type { StatusName } from "../model/status.ts";
import type { Target } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import type { TlsMaterial } from "../net/handshake.ts";
import type { NameResolver } from "../net/resolve.ts";
import { CallError } from "./call-error.ts";
import { type ClientReply, ProbeClient } from "./client.ts";
import { openConnection } from "./connection.ts";
import { ContractCheck } from "./contract-check.ts";
import { readCredentials } from "./credentials.ts";
import type { firstUnmet, Unmet } from "./expect.ts";
import { FittingCalls } from "./fitting-call.ts";
import type { Keep } from "./keep-whole.ts";
import { MethodResolver, type ResolvedMethod } from "./method-resolver.ts";
import type { Missing } from "./missing.ts";
import type { OwnCallsLedger } from "./own-calls.ts";
import { judgeable, shown, TOO_LARGE } from "./probe-responses.ts";
import { verdictOf } from "./probe-verdict.ts";
import { messageOf, RequestError, responseJson } from "./proto-json.ts";
import type { Connection } from "./transport.ts";
import { methodPath } from "./typed-call.ts";
import { unknownMethodText } from "./unknown-method.ts";
import { verificationReason } from "./verification.ts";

/** What a run of a probe needs beside its specification. */
export interface ProbeRun {
  readonly spec: ProbeSpec;
  readonly target: Target;
  /** Of the whole run, what comes before and after the RPC included. */
  readonly signal: AbortSignal;
  /** W3C trace context, sent with the call. */
  readonly traceparent: string;
  /** Each response as it comes, as canonical ProtoJSON: for a person who waits. */
  readonly heard?: (message: Json) => void;
}

/** All that one run showed. */
export interface ProbeResult {
  readonly outcome: "passed" | "failed" | "unsupported";
  readonly phase?: ProbePhase;
  readonly reason?: Reason;
  /** Of the RPC; absent when none was answered. */
  readonly status?: StatusName;
  readonly statusText?: string;
  readonly assertion?: string;
  readonly actual?: string;
  /** `unsupported` only. */
  readonly missing?: Missing;
  /** Absent when no RPC was made. */
  readonly reply?: ClientReply;
  /** As canonical ProtoJSON: for the person who asked, never for a log. */
  readonly responses: () => readonly Json[];
}

export interface ProbeRunnerOptions {
  readonly clock: Clock;
  readonly resolver: NameResolver;
  /** Counts the calls made, as ours. */
  readonly ownCalls: OwnCallsLedger;
  /** As in `OpenOptions`. */
  readonly keep?: Keep;
  keptConnection(target: Target, signal: AbortSignal): Promise<Connection>;
}

type Verdict = Omit<ProbeResult, "reply" | "responses">;

/** How long our own connection may take to name what grpc-js hides. */
const SECOND_LOOK_MS = 5000;
const NO_RESPONSES = () => [];

/**
 * Runs configured RPCs through grpc-js, as the users' clients do.
 *
 * Descriptors and credentials are read before the clock of the call starts. Where grpc-js got no
 * connection, one attempt of our own names the reason, which it hides. A channel that is stuck after
 * a run is thrown away.
 */
export class ProbeRunner {
  readonly #options: ProbeRunnerOptions;
  readonly #resolver: MethodResolver;
  readonly #contracts: ContractCheck;
  readonly #calls = new FittingCalls();
  /** Kept channels, by probe. */
  readonly #kept = new Map<string, { readonly madeOf: string; readonly client: ProbeClient }>();

  constructor(options: ProbeRunnerOptions) {
    this.#options = options;
    this.#resolver = new MethodResolver(options.clock);
    this.#contracts = new ContractCheck(this.#resolver, options.clock);
  }

  /** Rejects for a bug of ours alone. */
  async run(run: ProbeRun): Promise<ProbeResult> {
    try {
      return await this.#run(run);
    } catch (thrown) {
      if (thrown instanceof RequestError) {
        const verdict = { outcome: "failed", phase: "assert", reason: "descriptor" } as const;
        return { ...verdict, actual: thrown.message, responses: NO_RESPONSES };
      }
      if (!(thrown instanceof CallError)) throw thrown;
      return { ...verdictOf(thrown, run), responses: NO_RESPONSES };
    }
  }

  /** What the probe's own descriptor set and the server do not agree on; `undefined` where it has none. */
  async contract({ spec, target, signal }: Pick<ProbeRun, "spec" | "target" | "signal">) {
    const protoset = spec.protoset ?? target.protoset;
    if (protoset === undefined) return undefined;
    const connection = (patience: AbortSignal) => this.#options.keptConnection(target, patience);
    return this.#contracts.check({ method: spec.method, protoset, connection, signal });
  }

  /** Closes the kept channels, but for those of the named probes. */
  close(keep: ReadonlySet<string> = new Set()): void {
    for (const probe of this.#kept.keys()) if (!keep.has(probe)) this.#drop(probe);
  }

  async #run(run: ProbeRun): Promise<ProbeResult> {
    const { spec, signal } = run;
    const resolved = await this.#resolve(run);
    if ("part" in resolved) {
      return { outcome: "unsupported", missing: resolved, responses: NO_RESPONSES };
    }
    const requests = await this.#calls.fit(spec, resolved);
    if ("part" in requests) {
      return { outcome: "unsupported", missing: requests, responses: NO_RESPONSES };
    }
    const { tls, metadata } = await readCredentials(withOwnMetadata(run), this.#options.keep);
    const isTls = await this.#speaksTls(run);
    const client = this.#client(run, isTls ? tls : undefined);
    try {
      const ledger = this.#options.ownCalls.forTarget(run.target.name);
      ledger.started();
      const reply = await client.call({
        path: methodPath(resolved.method),
        requests,
        metadata: [...metadata, ["traceparent", run.traceparent]],
        deadlineMs: spec.deadlineMs,
        signal,
        ...hearing(run, resolved),
      });
      ledger.ended(reply.error === undefined ? "OK" : reply.error.fault.status);
      const verdict = await this.#judge(run, resolved, reply);
      return { ...verdict, reply, responses: () => shown(resolved, reply) };
    } finally {
      if (spec.connection === "fresh") client.close();
      else if (!client.isUsable) this.#drop(spec.name);
    }
  }

  async #resolve(run: ProbeRun): Promise<ResolvedMethod | Missing> {
    const { spec, target, signal } = run;
    const protoset = spec.protoset ?? target.protoset;
    const connection = () => this.#options.keptConnection(target, signal);
    const question = { method: spec.method, connection, signal };
    try {
      const resolved = await this.#resolver.resolve({
        ...question,
        ...(protoset !== undefined && { protoset }),
      });
      if (!("unknown" in resolved)) return resolved;
      return { part: spec.method, ...unknownMethodText(spec.method, resolved, protoset) };
    } catch (thrown) {
      if (!(thrown instanceof CallError)) throw thrown;
      const { status, reason } = thrown.fault;
      const part = "reflection";
      if (status === "UNIMPLEMENTED") return { part, reason: status, fix: GIVE_DESCRIPTORS };
      // What it describes is of no use: that says nothing of the method itself.
      const isUseless = thrown.isUnreadable || reason === "descriptor";
      if (!isUseless || protoset !== undefined) throw thrown;
      return { part, reason, fix: GIVE_DESCRIPTORS };
    }
  }

  /** Without a stated expectation the probe speaks as the kept connection found that it must. */
  async #speaksTls({ target, signal }: ProbeRun): Promise<boolean> {
    if (target.tls !== undefined) return target.tls.mode === "tls";
    const connection = await this.#options.keptConnection(target, signal);
    return connection.spoke === "tls";
  }

  #client({ spec, target }: ProbeRun, tls: TlsMaterial | undefined): ProbeClient {
    const { clock } = this.#options;
    const make = () =>
      new ProbeClient({
        target,
        compression: spec.compression,
        clock,
        ...(tls !== undefined && { tls }),
      });
    if (spec.connection === "fresh") return make();

    const { address, authority } = target;
    // A certificate that was rotated needs a new handshake; a token goes with each call anyway.
    const madeOf = JSON.stringify([address, authority, spec.compression, tls]);
    const kept = this.#kept.get(spec.name);
    if (kept?.madeOf === madeOf) return kept.client;
    this.#drop(spec.name);
    const client = make();
    this.#kept.set(spec.name, { madeOf, client });
    return client;
  }

  #drop(probe: string): void {
    this.#kept.get(probe)?.client.close();
    this.#kept.delete(probe);
  }

  async #judge(run: ProbeRun, resolved: ResolvedMethod, reply: ClientReply): Promise<Verdict> {
    const { expect } = run.spec;
    const status = reply.error === undefined ? "OK" : reply.error.fault.status;
    if (status !== expect.status) {
      if (reply.error !== undefined) return verdictOf(await this.#sharpened(run, reply.error), run);
      return unmet("OK", { assertion: `status == ${expect.status}`, actual: "OK" });
    }
    const messages =
      status === "OK" ? judgeable(resolved.method, reply.responses, expect.that) : [];
    if (messages === undefined) return { outcome: "unsupported", status, missing: TOO_LARGE };
    const statusText = reply.error?.fault.statusText;
    const outcome = { ...reply, responses: messages, status, latencyMs: reply.durationMs };
    const missed = await firstMissed(expect.that, outcome, resolved.registry);
    if (missed !== undefined) return unmet(status, missed);
    return { outcome: "passed", status, ...(statusText !== undefined && { statusText }) };
  }

  /** grpc-js does not say why there was no connection; the same way, gone by ourselves, does. */
  async #sharpened({ target, signal }: ProbeRun, error: CallError): Promise<CallError> {
    if (!error.isWithoutConnection || signal.aborted) return error;
    const { ownCalls: _uncounted, keptConnection: _kept, ...ways } = this.#options;
    const { clock } = ways;
    try {
      const patience = clock.deadline(SECOND_LOOK_MS, signal);
      const connection = await openConnection(target, { ...ways, signal: patience });
      connection.close();
      const { tls } = connection.trail;
      const reason = tls && verificationReason(tls, clock.shown(clock.now()));
      return reason === undefined ? error : new CallError({ phase: "tls", reason });
    } catch (thrown) {
      return thrown instanceof CallError && !signal.aborted ? thrown : error;
    }
  }
}

const GIVE_DESCRIPTORS =
  "Register the reflection service with the server, or give a protoset (`protoset` of the probe, -protoset FILE of a command).";

function withOwnMetadata({ spec, target }: ProbeRun): Target {
  const own = new Set(spec.metadata.map(({ key }) => key));
  const rest = target.metadata.filter(({ key }) => !own.has(key));
  return { ...target, metadata: [...rest, ...spec.metadata] };
}

function unmet(status: StatusName, { assertion, actual }: Unmet): Verdict {
  const failed = { outcome: "failed", phase: "assert", reason: "assertion" } as const;
  return { ...failed, status, assertion, actual };
}

/** CEL is loaded by the first run that has an expression. */
async function firstMissed(...asked: Parameters<typeof firstUnmet>): Promise<Unmet | undefined> {
  const [expressions] = asked;
  if (expressions.length === 0) return undefined;
  return (await import("./expect.ts")).firstUnmet(...asked);
}

/** What does not fit its type is told by the verdict. */
function hearing({ heard }: ProbeRun, resolved: ResolvedMethod) {
  if (heard === undefined) return {};
  const { registry, method } = resolved;
  return {
    heard(bytes: Uint8Array) {
      const message = messageOf(method, bytes);
      if (message !== undefined) heard(responseJson(registry, method, message));
    },
  };
}
