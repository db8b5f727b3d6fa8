import type { Listeners } from "../model/facts/listeners.ts";
import { isConfirmedRun, type Reach, type ReachRun } from "../model/facts/reach.ts";
import type { Surroundings } from "../model/facts/surroundings.ts";
import type { Symptom } from "../model/finding.ts";
import { present } from "../model/present.ts";
import { boundList } from "../model/subjects.ts";
import { hostOf, hostPort, isLoopback } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import { defineDetector } from "./detector.ts";

/** A server may open its sockets one after another. */
const SETTLING_MS = 2000;

/**
 * The server listens on loopback only, so it works inside the pod and nowhere else.
 *
 * Everything that looks from within is content: the app, its health checks by exec, this agent. The
 * kubelet and every client are refused. `localhost:50051` in the server's configuration is the usual
 * reason; in a mesh it is right, since the proxy in the pod dials loopback.
 *
 * Source: RFC 1122 section 3.2.1.3 (127.0.0.0/8 never leaves the host).
 */
export const loopbackOnly = defineDetector({
  code: "loopback-only",
  title: "The server listens on loopback only",
  layer: "listen",
  severity: "critical",
  remedy:
    'Listen on all addresses. Go: `net.Listen("tcp", ":PORT")`; Java: `NettyServerBuilder.forPort`; C-core: `[::]:PORT`; grpc-js (0.0.0.0 is IPv4 only), tonic: `[::]:PORT`.',
  needs: ["expectation", "reach", "listeners", "surroundings"],
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {},

  detect({ now, expectation, reach, listeners, surroundings }) {
    const { port } = expectation;
    const podAddress = addressOfClients(surroundings);
    if (podAddress === undefined || port === undefined) return undefined;
    if (!isOnLoopback(listeners, now) || !worksOnLoopback(reach)) return [];

    const dialled = reach.pod ?? reach.runs[hostPort(podAddress, port)];
    if (dialled === undefined || !isConfirmedRun(dialled)) return undefined;
    if (dialled.outcome !== "refused") return dialled.outcome === "connected" ? [] : undefined;
    return [symptomOf({ listeners, port, podAddress }, dialled)];
  },
});

/** The address by which other pods come; undefined where a mesh or the host's network stands before it. */
function addressOfClients({
  mesh,
  hostNetwork,
  podAddress,
}: Surroundings): Surroundings["podAddress"] {
  return mesh || hostNetwork ? undefined : podAddress;
}

function symptomOf(
  {
    listeners: { rows, loopbackClients },
    port,
    podAddress,
  }: { readonly listeners: Listeners; readonly port: number; readonly podAddress: string },
  { errno }: Pick<ReachRun, "errno">,
): Symptom {
  const summary = `Port ${port} listens on loopback only and refuses ${podAddress}, the pod's address`;
  const proxied = `; clients within the pod: ${loopbackClients}, so a proxy may serve it`;
  return {
    subject: { port: `${port}` },
    severity: loopbackClients > 0 ? "info" : "critical",
    witnesses: ["kernel", "preflight"],
    isDeterministic: true,
    summary: loopbackClients > 0 ? `${summary}${proxied}` : summary,
    evidence: present({
      listening: boundList(rows.map((row) => hostPort(row.address, row.port))),
      podAddress,
      errno,
      loopbackClients,
    }),
  };
}

function isOnLoopback({ rows, since }: Listeners, now: Instant): boolean {
  const isSettled = now - since > SETTLING_MS;
  return isSettled && rows.length > 0 && rows.every(({ address }) => isLoopback(address));
}

/** We connected over loopback, or never tried as the target's address is another one. */
function worksOnLoopback({ runs }: Reach): boolean {
  const tried = Object.entries(runs).filter(([address]) => isLoopback(hostOf(address)));
  return tried.length === 0 || tried.some(([, { outcome }]) => outcome === "connected");
}
