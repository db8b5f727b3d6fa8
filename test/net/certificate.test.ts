import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  certificateFacts,
  chainFacts,
  coversAuthority,
  hostOf,
  readBundle,
} from "../../src/net/certificate.ts";
import { bundle, type Issued, issue, issueCa, newKeys } from "../support/certificates.ts";

const x509 = (issued: Issued) => new X509Certificate(issued.cert);
const DAY_MS = 86_400_000;

describe("names cover an authority", () => {
  test.each([
    ["the same name", ["a.test"], "a.test"],
    ["letter case aside", ["A.Test"], "a.tEST"],
    ["a dot at the end aside", ["a.test."], "a.test."],
    ["the port aside", ["a.test"], "a.test:443"],
    ["a wildcard for one label", ["*.shop.svc"], "orders.shop.svc"],
    ["one of several", ["b.test", "a.test"], "a.test"],
    ["a single label", ["localhost"], "localhost"],
    ["an address", ["10.0.0.1"], "10.0.0.1:50051"],
    ["an IPv6 address in another spelling", ["::1"], "[0:0:0:0:0:0:0:1]:443"],
  ])("%s", (_sentence, names, authority) => {
    expect(coversAuthority(names, authority)).toBe(true);
  });

  test.each([
    ["no names", [], "a.test"],
    ["another name", ["b.test"], "a.test"],
    ["a wildcard for two labels", ["*.svc"], "orders.shop.svc"],
    ["a wildcard for no label", ["*.shop.svc"], "shop.svc"],
    ["a wildcard within a label", ["o*.shop.svc"], "orders.shop.svc"],
    ["a wildcard that is not leftmost", ["orders.*.svc"], "orders.shop.svc"],
    ["a bare wildcard", ["*"], "localhost"],
    ["a wildcard for an address", ["*.0.0.1"], "10.0.0.1"],
    ["a name for an address", ["a.test"], "10.0.0.1"],
    ["another address", ["10.0.0.2"], "10.0.0.1"],
  ])("not by %s", (_sentence, names, authority) => {
    expect(coversAuthority(names, authority)).toBe(false);
  });

  test.each([
    ["a.test:443", "a.test"],
    ["a.test", "a.test"],
    ["[::1]:443", "::1"],
    ["::1", "::1"],
    ["10.0.0.1:80", "10.0.0.1"],
  ])("%s has the host %s", (authority, host) => {
    expect(hostOf(authority)).toBe(host);
  });
});

describe("a chain", () => {
  let ca: Issued;
  let other: Issued;
  let intermediate: Issued;
  let leaf: Issued;
  beforeAll(async () => {
    ca = await issueCa({ name: "root" });
    other = await issueCa({ name: "other root" });
    intermediate = await issueCa({ name: "intermediate", issuer: ca });
    leaf = await issue({ name: "leaf", issuer: intermediate, dns: ["a.test"], ip: ["::1"] });
  });

  const judged = (sent: readonly Issued[], trusted: readonly Issued[], now = Date.now()) => {
    const facts = chainFacts(sent.map(x509), { now, bundle: trusted.map(x509) });
    return [facts.path, facts.pathFailsByDate];
  };

  test("without a judge is only described", () => {
    expect(chainFacts([x509(leaf)], { now: 0 })).toEqual({
      chain: [certificateFacts(x509(leaf))],
      sentCertificates: 1,
      sans: ["a.test", "::1"],
      hasSans: true,
      leafKeyType: "ec",
    });
  });

  test("that was not received has no names and no path", () => {
    expect(chainFacts([], { now: 0, authority: "a.test", bundle: [x509(ca)] })).toEqual({
      chain: [],
      sentCertificates: 0,
      sans: [],
      hasSans: false,
      bundleCertificates: 1,
    });
  });

  test("of more than two thousand names is judged only by those that were read", async () => {
    const dns = Array.from({ length: 2_001 }, (_, n) => `n${n}.test`);
    const many = [x509(await issue({ dns }))];
    const covers = (sent: readonly X509Certificate[], authority: string) =>
      chainFacts(sent, { now: 0, authority }).coversAuthority;
    expect([covers(many, "n1.test"), covers(many, "n2000.test")]).toEqual([true, undefined]);
    const fewer = [x509(await issue({ dns: dns.slice(0, 1_999) }))];
    expect(covers(fewer, "n2000.test")).toBe(false);
  });

  test("does not cover an address that it has as a DNS name", async () => {
    const facts = async (names: Parameters<typeof issue>[0]) => {
      const { sans, coversAuthority } = chainFacts([x509(await issue(names))], {
        now: 0,
        authority: "10.9.0.1:50051",
      });
      return { sans, coversAuthority };
    };
    expect(await facts({ ip: ["10.9.0.1"] })).toEqual({
      sans: ["10.9.0.1"],
      coversAuthority: true,
    });
    expect(await facts({ dns: ["10.9.0.1"] })).toEqual({
      sans: ["DNS:10.9.0.1"],
      coversAuthority: false,
    });
  });

  test("keeps ten certificates and counts all", () => {
    const facts = chainFacts(Array(12).fill(x509(leaf)), { now: 0 });
    expect([facts.chain.length, facts.sentCertificates]).toEqual([10, 12]);
  });

  test("is ok over its intermediate, in any order, with strangers beside", () => {
    expect(judged([leaf, intermediate], [ca])).toEqual(["ok", false]);
    expect(judged([leaf, other, intermediate], [ca])).toEqual(["ok", false]);
    expect(judged([leaf, intermediate, ca], [ca])).toEqual(["ok", false]);
  });

  test("is ok where the bundle holds the intermediate, or the leaf itself", () => {
    expect(judged([leaf], [intermediate])).toEqual(["ok", false]);
    expect(judged([leaf], [leaf])).toEqual(["ok", false]);
    expect(judged([leaf, intermediate], [other, ca])).toEqual(["ok", false]);
  });

  test("lacks its intermediate", () => {
    expect(judged([leaf], [ca])).toEqual(["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false]);
    expect(judged([leaf, other], [ca])).toEqual(["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false]);
  });

  test("leads to a root that is not trusted, sent or not", () => {
    expect(judged([leaf, intermediate], [other])).toEqual([
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      false,
    ]);
    expect(judged([leaf, intermediate, ca], [other])).toEqual(["SELF_SIGNED_CERT_IN_CHAIN", false]);
  });

  test("is one self-signed certificate", async () => {
    const alone = await issue({ name: "alone", dns: ["a.test"] });
    expect(judged([alone], [ca])).toEqual(["DEPTH_ZERO_SELF_SIGNED_CERT", false]);
    expect(judged([alone], [alone])).toEqual(["ok", false]);
    expect(certificateFacts(x509(alone)).isSelfSigned).toBe(true);
  });

  test("is signed by a namesake's key", async () => {
    const namesake = await issueCa({ name: "intermediate", issuer: ca });
    expect(judged([leaf, namesake], [ca])).toEqual(["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false]);
  });

  test("of a hundred namesakes is not judged: to try them all would take ten thousand checks", async () => {
    // One key signs no other, but each bears the name that all ask for.
    const stranger = await issueCa({ name: "link" });
    const link = await issueCa({ name: "link", issuer: { ...stranger, keys: await newKeys() } });
    const below = await issue({ issuer: { ...link, keys: await newKeys() }, dns: ["a.test"] });
    const namesakes = (count: number) => [below, ...Array<Issued>(count).fill(link)];
    expect([judged(namesakes(100), [ca]), judged(namesakes(101), [ca])]).toEqual([
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false],
      [undefined, undefined],
    ]);
  });

  test("ends at a trusted name with another key", async () => {
    const rekeyed = await issueCa({ name: "root" });
    const below = await issue({ issuer: rekeyed, dns: ["a.test"] });
    const failure = ["CERT_SIGNATURE_FAILURE", false];
    expect([judged([below], [ca]), judged([below, rekeyed], [ca])]).toEqual([failure, failure]);
    expect(judged([below], [ca, rekeyed])).toEqual(["ok", false]);
  });

  test("fails by date alone: of the leaf, or of what is needed", async () => {
    const old = await issueCa({ name: "old", issuer: ca, fromDays: -9, toDays: -1 });
    const below = await issue({ issuer: old, dns: ["a.test"] });
    expect(judged([leaf, intermediate], [ca], leaf.notAfter + 1)).toEqual(["ok", true]);
    expect(judged([leaf, intermediate], [ca], leaf.notAfter)).toEqual(["ok", false]);
    expect(judged([leaf, intermediate], [ca], leaf.notBefore - DAY_MS)).toEqual(["ok", true]);
    expect(judged([below, old], [ca])).toEqual(["ok", true]);
    expect(judged([below, old], [old])).toEqual(["ok", false]);
  });

  test("does not fail by an expired cross-signature beside a good path", async () => {
    const keys = await newKeys();
    const good = await issueCa({ name: "crossed", issuer: ca, keys });
    const expired = await issueCa({
      name: "crossed",
      issuer: other,
      keys,
      fromDays: -9,
      toDays: -1,
    });
    const below = await issue({ issuer: good, dns: ["a.test"] });

    expect(judged([below, expired, good], [ca])).toEqual(["ok", false]);
    expect(judged([below, expired, good], [ca, other])).toEqual(["ok", false]);
    expect(judged([below, expired], [other])).toEqual(["ok", true]);
  });
});

describe("a sent certificate is spare", () => {
  const spare = async (sent: readonly Issued[], trusted?: readonly Issued[]) => {
    const judges = trusted && { bundle: trusted.map(x509) };
    const { chain } = chainFacts(sent.map(x509), { ...judges, now: Date.now() });
    return chain.map(({ isSpare }) => isSpare === true);
  };

  test("where a renewed one of its authority and key is sent beside, whoever trusts it", async () => {
    const ca = await issueCa({ name: "root" });
    const renewed = await issueCa({ name: "issuing", issuer: ca, toDays: 900 });
    const old = await issueCa({ name: "issuing", issuer: ca, toDays: 10, keys: renewed.keys });
    const leaf = await issue({ issuer: renewed, dns: ["a.test"] });

    expect(await spare([leaf, renewed, old])).toEqual([false, false, true]);
    expect(await spare([leaf, old, renewed], [ca])).toEqual([false, true, false]);
    const [rekeyed, coming] = await Promise.all([
      issueCa({ name: "issuing", issuer: ca, toDays: 900 }),
      issueCa({ name: "issuing", issuer: ca, fromDays: 1, toDays: 900, keys: old.keys }),
    ]);
    expect(await spare([leaf, old, rekeyed], [ca])).toEqual([false, false, false]);
    expect(await spare([leaf, old, coming], [ca])).toEqual([false, false, false]);
  });

  test("where a path to the bundle leads past it for longer", async () => {
    const [ca, crossing] = [await issueCa({ name: "root" }), await issueCa({ name: "older" })];
    const keys = await newKeys();
    const straight = await issueCa({ name: "issuing", issuer: ca, keys, toDays: 900 });
    const crossed = await issueCa({ name: "issuing", issuer: crossing, keys, toDays: 10 });
    const leaf = await issue({ issuer: straight, dns: ["a.test"] });

    expect(await spare([leaf, crossed, straight], [ca])).toEqual([false, true, false]);
    expect(await spare([leaf, crossed, straight], [crossing])).toEqual([false, false, false]);
    expect(await spare([leaf, crossed, straight])).toEqual([false, false, false]);
  });
});

describe("a bundle", () => {
  test("is read block by block, broken ones left out", async () => {
    const [one, two] = [await issueCa({ name: "one" }), await issueCa({ name: "two" })];
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const text = `# roots\n${bundle(one)}${broken}${one.key}${bundle(two)}`;

    expect(readBundle(text).map((certificate) => certificate.subject)).toEqual([
      "CN=one",
      "CN=two",
    ]);
    expect(readBundle("nothing")).toEqual([]);
  });
});
