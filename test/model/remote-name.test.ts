import { expect, it } from "vitest";
import { ownName, remoteName } from "../../src/model/remote-name.ts";
import { anExpectation, anUpstreamExpectation } from "../support/snapshot.ts";

const knownAs = { "10.0.0.9:50051": "dns:///inventory.svc:50051" };

it.each([
  ["the app's own channel", "10.0.0.9:50051", {}, "inventory.svc:50051", true],
  ["the configured upstream", "10.0.0.1:50051", { own: "dns:///Stock:50051" }, "stock:50051", true],
  ["nobody", "10.0.0.1:5432", {}, "10.0.0.1:5432", false],
])("takes the name that %s gives", (_who, service, own, upstream, isKnown) => {
  expect(remoteName(service, { ...own, knownAs })).toEqual({ upstream, isKnown });
});

it("takes the address of an upstream, and none of the app", () => {
  const upstream = anUpstreamExpectation({ address: "stock:50051" });
  expect([ownName(upstream), ownName(anExpectation())]).toEqual([{ own: "stock:50051" }, {}]);
});
