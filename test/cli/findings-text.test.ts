import { expect, it } from "vitest";
import { blindText } from "../../src/cli/report/blind-text.ts";
import { columns } from "../../src/cli/report/lines.ts";
import { paintFor } from "../../src/cli/report/paint.ts";
import type { Unjudged } from "../../src/model/finding.ts";

type Missing = Parameters<typeof blindText>[0]["capabilities"];

const paint = paintFor({ isTerminal: { stdout: false, stderr: false }, environment: {} }, "stdout");
const blind = (unjudged: readonly Unjudged[], capabilities: Missing = []) =>
  blindText({ capabilities, unjudged }, paint);

const LITERAL = { code: "dns-failing", because: "the address is a literal" };
const unset = (target: string): Unjudged => ({
  target,
  code: "tls-san-mismatch",
  because: "not configured: `authority` of the target",
  fix: "Configure `authority` of the target.",
});

it("says once what several targets lack", () => {
  const all = ["app", "stock"].flatMap((target) => [{ target, ...LITERAL }, unset(target)]);
  expect(blind(all)).toEqual([
    "app, stock: the address is a literal",
    "  dns-failing",
    "app, stock: not told what is expected (a configuration file says it)",
    "  tls-san-mismatch  `authority` of the target",
  ]);
});

it("keeps targets apart whose codes differ", () => {
  expect(
    blind([
      { target: "app", ...LITERAL },
      { target: "stock", ...LITERAL },
      { target: "stock", ...LITERAL, code: "dns-stale" },
    ]),
  ).toEqual([
    "app: the address is a literal",
    "  dns-failing",
    "stock: the address is a literal",
    "  dns-failing, dns-stale",
  ]);
});

it("tells a fix that the reason does not tell", () => {
  expect(
    blind([
      { target: "app", code: "stream-exhaustion", because: "UNIMPLEMENTED", fix: "Register it." },
    ]),
  ).toEqual(["app: UNIMPLEMENTED", "  stream-exhaustion", "  → Register it."]);
});

it("tells what is missing with the codes that wait for it, once for each fix", () => {
  const missing = {
    target: "app",
    available: false,
    reason: "client_certificate_required",
  } as const;
  const fix = "Give the target a client certificate.";
  expect(
    blind(
      [
        { target: "app", code: "health-flapping", because: "x", fix },
        { target: "app", code: "stream-exhaustion", because: "y", fix },
        { target: "stock", code: "health-flapping", because: "x", fix },
      ],
      [
        { ...missing, source: "health", fix },
        { ...missing, source: "channelz", part: "sockets", fix },
        { target: "app", available: true, source: "dns" },
        { target: "app", available: false, source: "kernel", reason: "no /proc here" },
      ],
    ),
  ).toEqual([
    "app: health: the server asks for a client certificate",
    "  health-flapping, stream-exhaustion",
    "  → Give the target a client certificate.",
    "app: channelz (sockets): the server asks for a client certificate",
    "  → Give the target a client certificate.",
    "app: kernel: no /proc here",
    "stock: x",
    "  health-flapping",
    "  → Give the target a client certificate.",
  ]);
});

it.each([
  [{ stdout: true, stderr: true }, 60, 60],
  [{ stdout: true, stderr: true }, 20, 50],
  [{ stdout: true, stderr: true }, 200, 100],
  [{ stdout: false, stderr: false }, 60, 100],
])("is as wide as the terminal %j of %i columns: %i", (isTerminal, columns, width) => {
  expect(paintFor({ isTerminal, columns, environment: {} }, "stdout").width).toBe(width);
});

it("goes on below a value that is wider than the page", () => {
  expect(
    columns(
      [
        ["port", "1"],
        ["listening", "127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3"],
      ],
      40,
    ),
  ).toEqual(["port       1", "listening  127.0.0.1:1, 127.0.0.1:2,", "           127.0.0.1:3"]);
});

it("tells a health service that is not there once, and reflection by its name", () => {
  const lack = (part: string, available = false) =>
    ({ target: "app", source: "health", part, available, reason: "UNIMPLEMENTED" }) as const;
  const parts = [lack("Watch"), lack("List"), lack("reflection")];
  const whole = {
    target: "app",
    source: "health",
    available: false,
    reason: "UNIMPLEMENTED",
  } as const;
  expect(blind([], parts)).toEqual([
    "app: health (Watch): UNIMPLEMENTED",
    "app: health (List): UNIMPLEMENTED",
    "app: reflection: UNIMPLEMENTED",
  ]);
  expect(blind([], [...parts, whole])).toEqual([
    "app: reflection: UNIMPLEMENTED",
    "app: health: UNIMPLEMENTED",
  ]);
});
