import { describe, expect, it } from "vitest";
import { optionsFrom } from "../../src/inject/options.ts";

const faultsOf = (name: string, text: string) =>
  optionsFrom({ [`grpc-doctor.io/${name}`]: text }).faults.map(({ found }) => found);

describe("takes", () => {
  it.each([
    ["port", "1"],
    ["port", "65535"],
    ["port", " 50051 , 8443 "],
    ["authority", "orders.shop.svc:443"],
    ["ca-secret", "roots.of-2026"],
    ["config-map", "a".repeat(253)],
    ["image", "doctor"],
    ["image", "mirror.example:5000/a/b__c/doctor:1.2-rc.1"],
    ["image", `Mirror.example/doctor@sha256:${"0".repeat(64)}`],
    ["image", `localhost/doctor:1@sha256:${"f".repeat(64)}`],
  ])("%s %s", (name, text) => {
    expect(faultsOf(name, text)).toEqual([]);
  });
});

describe("refuses what would keep the container from starting", () => {
  it.each([
    ["port", ""],
    ["port", "0"],
    ["port", "65536"],
    ["port", "99999"],
    ["port", "080"],
    ["port", "1,"],
    ["port", "grpc"],
    ["authority", "a --plaintext"],
    ["ca-secret", "a..b"],
    ["ca-secret", "-a"],
    ["config-map", "a_b"],
    ["image", "Doctor"],
    ["image", "a:b:c"],
    ["image", "a//b"],
    ["image", "doctor:"],
    ["image", "doctor@sha256:12"],
    ["tls", "yes"],
    ["mode", "Native"],
    ["inject", ""],
  ])("%s %j", (name, text) => {
    expect(faultsOf(name, text)).toEqual([JSON.stringify(text)]);
  });
});
