import * as z from "zod";
import { DEFAULTS } from "../defaults.ts";
import { httpUrl, listenAddress, path, ratio, word } from "./scalars.ts";

/** The sections about the agent itself: where it listens, how it tells. */
export const agentShape = {
  listen: listenAddress()
    .prefault(DEFAULTS.listen)
    .describe(
      "Where `/metrics` and the agent's own health are served. Without a host: all addresses, dual-stack.",
    ),
  admin: listenAddress()
    .prefault(DEFAULTS.admin)
    .describe("Where findings, snapshot, status page, reload, drain and drill are served."),
  adminToken: path("the path of a file that holds the bearer token")
    .optional()
    .describe(
      "A file with the bearer token of the admin listener. Needed, and asked for, where `admin` is not on loopback.",
    ),
  log: z
    .strictObject({
      level: word(["debug", "info", "warn", "error"])
        .default(DEFAULTS.log.level)
        .describe("The least severe line that is written."),
      format: word(["json", "text"])
        .optional()
        .describe(
          "`json`, one object a line, or `text`. Without it: text on a terminal, else JSON.",
        ),
    })
    .prefault({})
    .describe("The agent's log, on standard output."),
  tracing: z
    .union(
      [
        z.literal("off"),
        z.literal(false),
        z.strictObject({
          endpoint: httpUrl()
            .optional()
            .describe(
              "OTLP over gRPC, `http://` or `https://`. Without it the `OTEL_EXPORTER_OTLP_*` variables say.",
            ),
          ratio: ratio()
            .optional()
            .describe(
              `The share of the probe runs whose spans are sent; runs that fail are always sent. Without it \`OTEL_TRACES_SAMPLER\` says, else ${DEFAULTS.tracing.ratio}.`,
            ),
        }),
      ],
      { error: "off, or a mapping of endpoint and ratio" },
    )
    .optional()
    .describe(
      "Spans of the probe runs. `off` silences them where an OTEL variable would switch them on.",
    ),
  webhook: z
    .strictObject({
      url: httpUrl().describe("Gets each finding's transition as a JSON document by POST."),
    })
    .optional()
    .describe("Tells another program of findings."),
  snapshots: path("the path of a folder")
    .optional()
    .describe("A folder for snapshots, written when a finding opens and when the agent ends."),
};
