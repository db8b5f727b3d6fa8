import { describe, expect, it } from "vitest";
import { contractDrift } from "../../src/detectors/contract-drift.ts";
import type { ContractFacts } from "../../src/model/facts/probes.ts";
import {
  anExpectation,
  aProbeHistory,
  aProbeRun,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  someProbes,
} from "../support/snapshot.ts";

const METHOD = "order.OrderService/GetOrder";
const drifted: ContractFacts = {
  checkedTypes: 2,
  differences: ["order.Order.price: float → double", "order.Order.items: int64 → repeated string"],
};
const agreed: ContractFacts = { checkedTypes: 2, differences: [] };

const judged = (
  contract: ContractFacts | undefined,
  run: Change<Parameters<typeof aProbeRun>[0] & object> = {},
) =>
  judge(contractDrift, {
    probes: someProbes({
      probes: { "get-order": aProbeHistory({ contract, runs: [aProbeRun(run)] }) },
    }),
  });

describe("is silent about", () => {
  it("a server that agrees with the descriptor set", () => {
    expect(judged(agreed)).toEqual([]);
  });

  it("a probe that fails though both agree", () => {
    expect(judged(agreed, { outcome: "failed", status: "INTERNAL" })).toEqual([]);
  });
});

describe("does not judge", () => {
  it("a server that does not describe itself", () => {
    expect(judged(undefined)).toBeUndefined();
  });

  it("where no descriptor set is stated", () => {
    const probe = { name: "get-order", method: METHOD, deadlineMs: 500, hasCredentials: false };
    const isStated = (stated: object) =>
      contractDrift.expects?.isStated(anExpectation({ probes: [{ ...probe, ...stated }] }));
    expect([isStated({}), isStated({ hasProtoset: true })]).toEqual([false, true]);
  });
});

describe("speaks", () => {
  it("of a field that is another on the wire, while the probe passes", () => {
    expect(judged(drifted)).toEqual([
      {
        subject: { method: METHOD },
        severity: "warning",
        witnesses: ["probe"],
        isDeterministic: true,
        summary: `${METHOD} is not what the descriptor set of probe get-order says: order.Order.price: float → double and 1 more`,
        evidence: { differences: drifted.differences, checkedTypes: 2 },
      },
    ]);
  });

  it("as critical while the probe fails", () => {
    const { traceId, spanId } = aProbeRun();
    const [found] = judged(drifted, { outcome: "failed", status: "INTERNAL" }) ?? [];
    expect(found).toMatchObject({ severity: "critical", traceId, spanId });
  });

  it("once of a method that two probes call, the worse of them first", () => {
    const probes = {
      fine: aProbeHistory({ contract: drifted }),
      broken: aProbeHistory({ contract: drifted, runs: [aProbeRun({ outcome: "failed" })] }),
      other: aProbeHistory({ contract: undefined }),
    };
    const found = judge(contractDrift, { probes: someProbes({ probes }) });
    expect(found?.map(({ severity, subject }) => ({ severity, subject }))).toEqual([
      { severity: "critical", subject: { method: METHOD } },
    ]);
  });
});

it("reads what it declares", () => {
  expect(factsRead(contractDrift)).toEqual(factsDeclared(contractDrift));
});
