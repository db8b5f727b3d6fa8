import { expect, it } from "vitest";
import { identityFrom } from "../../src/agent/identity.ts";

const build = { version: "1.2.3", node: "v24" };
const eth0 = {
  address: "10.1.0.5",
  internal: false,
  netmask: "255.255.255.0",
  family: "IPv4",
  mac: "00:00:00:00:00:00",
  cidr: null,
} as const;
const addressIn = (environment: Readonly<Record<string, string>>) =>
  identityFrom(environment, build, { eth0: [eth0] }).podAddress;

it("takes no address for a pod's where nothing says that this is a pod", () => {
  expect(addressIn({})).toBeUndefined();
});

it("knows the pod's address: the one that it is told, else the only one there is", () => {
  const inPod = { KUBERNETES_SERVICE_HOST: "10.96.0.1" };
  expect(addressIn(inPod)).toBe("10.1.0.5");
  expect(addressIn({ ...inPod, POD_IP: "10.2.0.5" })).toBe("10.2.0.5");
});
