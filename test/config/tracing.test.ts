import { expect, it } from "vitest";
import { tracingFrom, tracingWarnings } from "../../src/config/tracing.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4317" };
const FILE = { endpoint: "http://otel:4317", ratio: 0.5 };

it.each([
  ["nothing", undefined, {}, undefined],
  ["an endpoint variable", undefined, ENDPOINT, { ratio: 0.1 }],
  [
    "the endpoint of traces",
    undefined,
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4317" },
    { ratio: 0.1 },
  ],
  ["an empty endpoint variable", undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, undefined],
  ["the file", FILE, {}, FILE],
  ["the file, without ratio", { endpoint: "http://otel:4317" }, {}, { ...FILE, ratio: 0.1 }],
  ["off in the file", "off" as const, ENDPOINT, undefined],
  ["the kill switch", FILE, { OTEL_SDK_DISABLED: "TRUE" }, undefined],
  ["a kill switch that is none", FILE, { OTEL_SDK_DISABLED: "1" }, FILE],
  ["no exporter", FILE, { OTEL_TRACES_EXPORTER: "none" }, undefined],
  ["our exporter among others", FILE, { OTEL_TRACES_EXPORTER: "console, otlp" }, FILE],
  ["another exporter", FILE, { OTEL_TRACES_EXPORTER: "zipkin" }, undefined],
  ["always_on", undefined, { ...ENDPOINT, OTEL_TRACES_SAMPLER: "always_on" }, { ratio: 1 }],
  [
    "parentbased_always_on",
    undefined,
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "parentbased_always_on" },
    { ratio: 1 },
  ],
  ["always_off", undefined, { ...ENDPOINT, OTEL_TRACES_SAMPLER: "always_off" }, undefined],
  [
    "a ratio by variable",
    undefined,
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
    { ratio: 0.25 },
  ],
  [
    "a sampler of ratio without one",
    undefined,
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "parentbased_traceidratio" },
    { ratio: 1 },
  ],
  [
    "a ratio that is none",
    undefined,
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "half" },
    { ratio: 1 },
  ],
  [
    "a sampler that is not known",
    undefined,
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "jaeger_remote" },
    { ratio: 0.1 },
  ],
  ["the file's ratio and a sampler", FILE, { OTEL_TRACES_SAMPLER: "always_off" }, FILE],
  [
    "a sampler and a file without ratio",
    { endpoint: "http://otel:4317" },
    { OTEL_TRACES_SAMPLER: "always_on" },
    { endpoint: "http://otel:4317", ratio: 1 },
  ],
  [
    "a protocol that is not ours",
    undefined,
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" },
    undefined,
  ],
  ["a file against that protocol", FILE, { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, FILE],
  [
    "the protocol of traces",
    undefined,
    {
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc",
    },
    { ratio: 0.1 },
  ],
])("takes of %s what it should", (_what, values, environment, tracing) => {
  expect(tracingFrom(values, environment)).toEqual(tracing);
});

it.each([
  ["what is fine", { ...ENDPOINT, OTEL_TRACES_SAMPLER: "always_on" }, []],
  ["what nobody asked for", { OTEL_TRACES_SAMPLER: "xray" }, []],
  [
    "what is switched off",
    { ...ENDPOINT, OTEL_SDK_DISABLED: "true", OTEL_TRACES_SAMPLER: "x" },
    [],
  ],
  [
    "a sampler that is not known",
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "xray" },
    [
      "OTEL_TRACES_SAMPLER: found xray, allowed: always_on, always_off, traceidratio, each also with parentbased_; a share of 0.1 is sent",
    ],
  ],
  [
    "a ratio, an exporter and a protocol",
    {
      ...ENDPOINT,
      OTEL_TRACES_SAMPLER: "traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "-1",
      OTEL_TRACES_EXPORTER: "zipkin",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    },
    [
      "OTEL_TRACES_SAMPLER_ARG: found -1, allowed: a number from 0 to 1; every run is sent",
      "OTEL_TRACES_EXPORTER: found zipkin, allowed: otlp, none; no spans are sent",
      "OTEL_EXPORTER_OTLP_PROTOCOL: found http/protobuf, allowed: grpc; no spans are sent, but to a `tracing.endpoint` of the file",
    ],
  ],
])("warns of %s", (_what, environment, warnings) => {
  expect(tracingWarnings(environment, undefined)).toEqual(warnings);
});

it("does not warn of a protocol that the file's endpoint makes moot", () => {
  expect(tracingWarnings({ OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, FILE)).toEqual([]);
});
