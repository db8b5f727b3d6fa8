import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Prints how many tests of all suites passed and failed, from the JSON reports in the folder that is
 * given, and why those that passed at the second try did not at the first. Fails when one failed, and
 * when there was none: a check that read nothing is not green.
 */
const [folder = "."] = process.argv.slice(2);
const reports = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
const sum = (key) => reports.reduce((total, report) => total + report[key], 0);
const passed = sum("numPassedTests");
const failed = sum("numFailedTests");
const MOST_TOLD = 1_500;
for (const { fullName, failureMessages } of passedAgain()) {
  const [why = ""] = failureMessages;
  process.stdout.write(`played once more: ${fullName}: ${why.slice(0, MOST_TOLD)}\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0 || passed === 0) process.exitCode = 1;

function passedAgain() {
  const tests = reports.flatMap(({ testResults }) =>
    testResults.flatMap(({ assertionResults }) => assertionResults),
  );
  const isAgain = ({ status, failureMessages }) =>
    status === "passed" && failureMessages.length > 0;
  return tests.filter(isAgain);
}
