import { recognizedOptions } from "@grpc/grpc-js/build/src/channel-options.js";
import { expect, it } from "vitest";
import { DETECTORS } from "../../src/detectors/index.ts";
import { REMEDIES, remedyFor } from "../../src/findings/remedies/index.ts";
import { IMPLEMENTATIONS, type Implementation } from "../../src/model/channelz.ts";
import { aCourse, aDetector, aSymptom } from "../support/findings.ts";
import { aKept, aServerCalls, aTargetSnapshot, knownFacts } from "../support/snapshot.ts";

const byChannelz = (implementation: Implementation) =>
  aTargetSnapshot({ facts: knownFacts({ serverCalls: aServerCalls({ implementation }) }) });
const byTexts = (implementation: Implementation) =>
  aTargetSnapshot({ facts: knownFacts({ kept: aKept({ implementation }) }) });
const LIMIT =
  "Raise the limit of concurrent streams, spread calls over more connections, or end idle streams";

it.each([
  ["nobody knows whose server it is", aTargetSnapshot({})],
  ["channelz does not tell whose it is", byChannelz("unknown")],
  ["its texts do not tell", byTexts("unknown")],
])("says nothing particular where %s", (_why, known) => {
  expect(remedyFor("stream-exhaustion", known)).toBeUndefined();
});

it("says nothing particular of a code that is mended alike everywhere", () => {
  expect(remedyFor("dns-failing", byChannelz("go"))).toBeUndefined();
  expect(remedyFor("constructor", byChannelz("go"))).toBeUndefined();
});

it.each<[Implementation, string]>([
  ["go", "`grpc.MaxConcurrentStreams(1000)`"],
  ["java", "`.maxConcurrentCallsPerConnection(1000)`"],
  ["grpc-js", '`{ "grpc.max_concurrent_streams": 1000 }`'],
  ["tonic", "`.max_concurrent_streams(1000)`"],
])("says the very line for %s", (implementation, line) => {
  const want = `${LIMIT}: ${line} in the server.`;
  expect(remedyFor("stream-exhaustion", byChannelz(implementation))).toBe(want);
  expect(remedyFor("stream-exhaustion", byTexts(implementation))).toBe(want);
});

it("says the line of the clients too, where both sides have a limit", () => {
  expect(remedyFor("message-too-large", byChannelz("go"))).toBe(
    "Page or stream the data, or raise the receive limit on both sides: `grpc.MaxRecvMsgSize(16 << 20)` in the server, `grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16 << 20))` in clients of its kind.",
  );
});

it("tells it with the finding, unless the symptom has a sharper one", () => {
  const limited = aDetector("stream-exhaustion");
  const remedyOf = (remedy?: string) => {
    const course = aCourse([limited]);
    const symptom = aSymptom(remedy === undefined ? {} : { remedy });
    course.at(0, { seen: { "stream-exhaustion": [symptom] }, target: byChannelz("java") });
    return course.report().active[0]?.remedy;
  };
  expect(remedyOf()).toBe(`${LIMIT}: \`.maxConcurrentCallsPerConnection(1000)\` in the server.`);
  expect(remedyOf("Sharper.")).toBe("Sharper.");
});

it.each(IMPLEMENTATIONS)("names codes that there are: %s", (implementation) => {
  const codes = DETECTORS.map(({ code }) => code);
  expect(codes).toEqual(expect.arrayContaining(Object.keys(REMEDIES[implementation])));
});

/** Lines of grpc-js are objects with names in quotes. */
const lines = Object.values(REMEDIES["grpc-js"]).flatMap(({ server = [], client = [] }) =>
  [server, client].flat(),
);

it.each(lines)("names options that grpc-js knows: %s", (line) => {
  const names = [...line.matchAll(/"([\w.]+)":/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(0);
  expect(Object.keys(recognizedOptions)).toEqual(expect.arrayContaining(names));
});
