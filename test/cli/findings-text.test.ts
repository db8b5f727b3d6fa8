import { expect, it } from "vitest";
import { blindText } from "../../src/cli/report/findings-text.ts";
import { columns } from "../../src/cli/report/lines.ts";
import { paintFor } from "../../src/cli/report/paint.ts";
import type { Unjudged } from "../../src/model/finding.ts";

const paint = paintFor(false, {});
const blind = (unjudged: readonly Unjudged[]) =>
  blindText({ active: [], pending: [], suppressed: [], capabilities: [], unjudged }, paint);

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
    "app, stock: not configured: `authority` of the target",
    "  tls-san-mismatch",
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
