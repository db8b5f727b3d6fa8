import * as z from "zod";
import { STATUS_NAMES } from "../../model/status.ts";
import { cronFault } from "../cron.ts";
import { DEFAULTS } from "../defaults.ts";
import { metadata } from "./metadata.ts";
import { duration, labelName, path, word } from "./scalars.ts";

const METHOD = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\/[A-Za-z_]\w*$/;

/** The form, and the method that was meant where a dot or a leading slash is all that is wrong. */
function methodForm(text: string): string {
  const meant = text.replace(/^\//, "").replace(/\.(\w+)$/, "/$1");
  return `package.Service/Method${METHOD.test(meant) ? `, as ${meant}` : ""}`;
}

const expectation = z
  .strictObject({
    status: word(STATUS_NAMES)
      .default(DEFAULTS.probe.status)
      .describe("The status that a run must end with."),
    latency: duration({ min: 1, max: 3_600_000 })
      .optional()
      .describe("An objective: a run that misses only this one has passed, slowly."),
    that: z
      .array(z.string().min(1, "a CEL expression").max(2000, "at most 2000 characters"))
      .max(20, "at most 20 expressions")
      .default([])
      .describe(
        "CEL over `response`, `responses`, `headers`, `trailers`, `status`, `latency`; each must be true.",
      ),
  })
  .prefault({})
  .describe("What a run must show to have passed.");

const request = z
  .union(
    [
      z.record(z.string(), z.json()),
      z.array(z.json()).min(1, "at least one message").max(1000, "at most 1000 messages"),
      z.string().regex(/^@./s, 'a mapping, a list of messages, or "@file"'),
    ],
    { error: 'a mapping, a list of messages, or "@file"' },
  )
  .prefault({})
  .describe("The message as ProtoJSON; a list for client streams; `@file` for a JSON file.");

/** One entry of `probes:`. */
export const probeSchema = z.strictObject({
  name: labelName().describe("Unique. The `probe` label of its metrics."),
  target: z.string().describe("The name of the target that it calls."),
  method: z
    .string()
    .max(512, "at most 512 characters")
    .superRefine((text, context) => {
      if (!METHOD.test(text)) context.addIssue({ code: "custom", message: methodForm(text) });
    })
    .describe("`package.Service/Method`, all four kinds."),
  request,
  every: duration({ min: 100, max: 86_400_000 })
    .optional()
    .describe(`How often it runs. Default ${DEFAULTS.probe.every}, unless \`cron\` is given.`),
  cron: z
    .string()
    .superRefine((text, context) => {
      const message = cronFault(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .optional()
    .describe("When it runs, in UTC: five fields, as in crontab. Instead of `every`."),
  deadline: duration({ min: 1, max: 3_600_000 })
    .optional()
    .describe(
      `The call's deadline, at most its interval. Default ${DEFAULTS.probe.deadline}, or half the interval where that is shorter.`,
    ),
  connection: word(["kept", "fresh"])
    .default(DEFAULTS.probe.connection)
    .describe("`kept`: one channel over all runs. `fresh`: a new connection for each."),
  compression: word(["identity", "gzip", "deflate"])
    .default(DEFAULTS.probe.compression)
    .describe("How the request is compressed."),
  metadata: metadata().describe("Added to the target's; the same key here wins."),
  expect: expectation,
  protoset: path()
    .optional()
    .describe("A FileDescriptorSet. Without it: the target's, else server reflection."),
});
