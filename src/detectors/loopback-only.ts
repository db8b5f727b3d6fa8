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
  lacks:
    "a dial of the pod's own address, twice alike: its address (POD_IP), and neither a mesh nor the host's network",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {},

  detect({ now, expectation, reach, listeners, surroundings }) {
    const { port } = expectation;
    if (port === undefined || surroundings.mesh || surroundings.hostNetwork) return undefined;
    if (!isOnLoopback(listeners, now) || !worksOnLoopback(reach)) return [];

    const dialled = dialOfPod(reach, surroundings, port);
    if (dialled === undefined || !isConfirmedRun(dialled.run)) return undefined;
    const { outcome } = dialled.run;
    if (outcome !== "refused") return outcome === "connected" ? [] : undefined;
    return [symptomOf(listeners, port, dialled)];
  },
});

/** What the address met by which other pods come. */
interface PodDial {
  readonly podAddress: string;
  readonly run: Pick<ReachRun, "outcome" | "since" | "lastAt" | "count" | "errno">;
  /** It is the target's own address: whoever configured that means clients to come by it. */
  readonly isTarget: boolean;
}

function dialOfPod(
  { pod, runs }: Reach,
  { podAddress, podAddresses }: Surroundings,
  port: number,
): PodDial | undefined {
  const own = podAddress === undefined ? podAddresses : [podAddress, ...podAddresses];
  const dials = own.map((address) => ({ podAddress: address, run: runs[hostPort(address, port)] }));
  const dial = dials.find(({ run }) => run !== undefined);
  if (dial?.run !== undefined) return { ...dial, run: dial.run, isTarget: true };
  return pod && { podAddress: hostOf(pod.address), run: pod, isTarget: false };
}

function symptomOf(
  { rows, loopbackClients }: Listeners,
  port: number,
  { podAddress, run: { errno }, isTarget }: PodDial,
): Symptom {
  const summary = `Port ${port} listens on loopback only and refuses ${podAddress}, the pod's address`;
  const isProxied = loopbackClients > 0 && !isTarget;
  const proxied = `; clients within the pod: ${loopbackClients}, so a proxy may serve it`;
  return {
    subject: { port: `${port}` },
    severity: isProxied ? "info" : "critical",
    witnesses: ["kernel", "preflight"],
    isDeterministic: true,
    summary: isProxied ? `${summary}${proxied}` : summary,
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
