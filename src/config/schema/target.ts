import * as z from "zod";
import type { DetectorRecord } from "../../model/detector-record.ts";
import { DEFAULTS } from "../defaults.ts";
import { findingsSchema } from "./findings.ts";
import { metadata } from "./metadata.ts";
import { address, duration, httpUrl, labelName, path, word } from "./scalars.ts";

const off = () => [z.literal("off"), z.literal(false)] as const;

/** How the target is expected to be spoken to. */
const tls = z
  .union(
    [
      ...off(),
      z.literal("on"),
      z.literal(true),
      z.strictObject({
        ca: path()
          .optional()
          .describe("The bundle that the clients trust. Without it no issuer is judged."),
        cert: path().optional().describe("The client certificate, for mutual TLS."),
        key: path().optional().describe("The client certificate's key."),
        servedFrom: path()
          .optional()
          .describe(
            "The certificate file that the server reads, mounted here too: tells a certificate that was renewed and not loaded.",
          ),
      }),
    ],
    { error: "off, on, or a mapping of ca, cert, key, servedFrom" },
  )
  .optional()
  .describe(
    "`off`: plaintext is expected. `on` or a mapping: TLS is expected. Absent: the server's own bytes decide, and nothing is judged.",
  );

const health = z
  .strictObject({
    services: z
      .array(z.string().max(256, "at most 256 characters"))
      .max(10, "at most 10 services")
      .default([...DEFAULTS.target.services])
      .describe('Services to watch; `""` is the server as a whole.'),
    expect: word(["SERVING", "NOT_SERVING", "any"])
      .default(DEFAULTS.target.expect)
      .describe("What each of them should say. `any` judges none."),
  })
  .prefault({})
  .describe("The standard health service, `grpc.health.v1`.");

const channelz = z
  .union(
    [
      ...off(),
      z.strictObject({
        every: duration({ min: 1000, max: 3_600_000 })
          .prefault(DEFAULTS.target.channelzEvery)
          .describe("How often it is read."),
      }),
    ],
    { error: "off, or a mapping with every" },
  )
  .optional()
  .describe(
    "The server's own account of its calls and connections, `grpc.channelz.v1`. `off`: never asked. Without it: read from the app, not from an upstream, where a whole fleet would ask.",
  );

/** One entry of `targets:`. */
export function targetSchema(detectors: readonly DetectorRecord[]) {
  return z.strictObject({
    name: labelName().describe(
      "Unique. The `target` label of every metric; `grpc-doctor` is reserved.",
    ),
    role: word(["app", "upstream"])
      .default(DEFAULTS.target.role)
      .describe("`app`: the server in this pod. `upstream`: a server that the app calls."),
    address: address().describe(
      "What the agent dials: `host:port`, `[ipv6]:port`, `dns:///name:port`, `dns://name-server-ip/name:port`, `unix:/path`.",
    ),
    authority: z
      .string()
      .regex(/^(?!.*:\/\/)[^\s/]{1,255}$/, "a host name, with or without :port")
      .optional()
      .describe(
        "The name that clients use; the certificate is judged against it. Without it no name is judged.",
      ),
    tls,
    metadata: metadata().describe("Sent with every call of the agent to this target."),
    health,
    channelz,
    metrics: httpUrl().optional().describe("The app's own Prometheus endpoint."),
    protoset: path()
      .optional()
      .describe("A FileDescriptorSet with the types of the probes. Without it: server reflection."),
    startup: duration({ min: 1000, max: 86_400_000 })
      .prefault(DEFAULTS.target.startup)
      .describe("How long the port may take to listen for the first time, and health to serve."),
    findings: findingsSchema(detectors.filter(({ layer }) => layer !== "agent")).describe(
      "As `findings` at the top, for this target alone.",
    ),
  });
}
