import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const path = (file: string) => new URL(`../../${file}`, import.meta.url).pathname;
const SERIES = readdirSync(path("test/scenarios/alerts"));

/** What promtool says, and how it ends. */
function promtool(...words: readonly string[]): Promise<{ readonly code: number; said: string }> {
  return new Promise((resolve) => {
    execFile("promtool", words, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    );
  });
}

it("has rules that Prometheus takes", async () => {
  const { code, said } = await promtool(
    "check",
    "rules",
    path("deploy/monitoring-plain/rules.yaml"),
  );
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining("14 rules found") });
});

it.concurrent.each(SERIES)("fires, stays silent and resolves as %s says", async (file) => {
  const { code, said } = await promtool("test", "rules", path(`test/scenarios/alerts/${file}`));
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining("SUCCESS") });
});

it("tries every alert", () => {
  const rules = readFileSync(path("deploy/monitoring-plain/rules.yaml"), "utf8");
  const alerts = new Set([...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name));
  const series = SERIES.map((file) => readFileSync(path(`test/scenarios/alerts/${file}`), "utf8"));
  const tried = [...series.join("\n").matchAll(/alertname: (\w+)/g)].map(([, name]) => name);
  expect(new Set(tried)).toEqual(alerts);
});
