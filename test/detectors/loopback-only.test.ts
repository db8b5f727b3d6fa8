import { expect, it } from "vitest";
import { loopbackOnly } from "../../src/detectors/loopback-only.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Listeners } from "../../src/model/facts/listeners.ts";
import type { Reach } from "../../src/model/facts/reach.ts";
import type { Surroundings } from "../../src/model/facts/surroundings.ts";
import {
  aListeners,
  aListenRow,
  anExpectation,
  aReach,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  SECOND,
  someSurroundings,
} from "../support/snapshot.ts";

const refused = {
  outcome: "refused",
  since: NOW - SECOND,
  lastAt: NOW,
  count: 2,
  errno: "ECONNREFUSED",
} as const;
const pod = { address: "10.0.0.5:50051", ...refused };
const rows = [aListenRow({ address: "127.0.0.1" }), aListenRow({ address: "::1" })];
const listening = (change: Change<Listeners>) => ({ listeners: aListeners({ rows, ...change }) });
const reaching = (change: Change<Reach>) => ({ reach: aReach({ pod, ...change }) });
const around = (change: Change<Surroundings>) => ({ surroundings: someSurroundings(change) });
/** Each test changes one thing of it. */
const sick: Change<Facts> = {
  expectation: anExpectation(),
  ...listening({}),
  ...reaching({}),
  ...around({}),
};
const judged = (change: Change<Facts>) => judge(loopbackOnly, { ...sick, ...change });

const symptom = {
  subject: { port: "50051" },
  severity: "critical",
  witnesses: ["kernel", "preflight"],
  isDeterministic: true,
  summary: "Port 50051 listens on loopback only and refuses 10.0.0.5, the pod's address",
  evidence: {
    listening: ["127.0.0.1:50051", "[::1]:50051"],
    podAddress: "10.0.0.5",
    errno: "ECONNREFUSED",
    loopbackClients: 0,
  },
};
const { errno: _unknown, ...withoutErrno } = symptom.evidence;

it.each<[string, Change<Facts>]>([
  ["nothing listens", listening({ rows: [] })],
  ["another row listens for all", listening({ rows: [...rows, aListenRow()] })],
  ["the rows are two seconds old", listening({ since: NOW - 2 * SECOND })],
  ["the pod's address connects", reaching({ pod: { ...pod, outcome: "connected" } })],
  ["loopback refuses too", reaching({ runs: { "127.0.0.1:50051": refused } })],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Change<Facts>]>([
  ["a mesh dials loopback", around({ mesh: true })],
  ["the pod has the host's network", around({ hostNetwork: true })],
  [
    "the pod's address is unknown",
    { ...around({ podAddress: undefined }), ...reaching({ pod: undefined }) },
  ],
  [
    "another host's address is refused",
    {
      ...around({ podAddress: undefined }),
      ...reaching({ pod: undefined, runs: { "10.0.0.6:50051": refused } }),
    },
  ],
  ["the target has no port", { expectation: anExpectation({ port: undefined }) }],
  ["the pod's address was not dialled", reaching({ pod: undefined })],
  ["it was refused once", reaching({ pod: { ...pod, count: 1 } })],
  ["it is silent", reaching({ pod: { ...pod, outcome: "timeout" } })],
  ["the rows are unknown", { listeners: undefined }],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["the pod's address is refused", {}, symptom],
  ["the rows are older than two seconds", listening({ since: NOW - 2 * SECOND - 1 }), symptom],
  [
    "the target itself is the pod's address",
    reaching({ pod: undefined, runs: { "10.0.0.5:50051": refused } }),
    symptom,
  ],
  [
    "the target is an address of the pod that nobody told as such, whoever comes by loopback",
    {
      ...around({ podAddress: undefined, podAddresses: ["10.0.0.4", "10.0.0.5"] }),
      ...reaching({ pod: undefined, runs: { "10.0.0.5:50051": refused } }),
      ...listening({ loopbackClients: 1 }),
    },
    { ...symptom, evidence: { ...symptom.evidence, loopbackClients: 1 } },
  ],
  [
    "one of the loopback addresses connects",
    reaching({
      runs: { "127.0.0.1:50051": refused, "[::1]:50051": { ...refused, outcome: "connected" } },
    }),
    symptom,
  ],
  [
    "no errno is told",
    reaching({ pod: { ...pod, errno: undefined } as never }),
    { ...symptom, evidence: withoutErrno },
  ],
  [
    "a proxy in the pod may serve it",
    listening({ loopbackClients: 1 }),
    {
      ...symptom,
      severity: "info",
      summary: `${symptom.summary}; clients within the pod: 1, so a proxy may serve it`,
      evidence: { ...symptom.evidence, loopbackClients: 1 },
    },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("reads what it declares", () => {
  expect(factsRead(loopbackOnly)).toEqual(factsDeclared(loopbackOnly));
});
