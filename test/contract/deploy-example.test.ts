import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { identityFrom } from "../../src/agent/identity.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { defaultSettings } from "../../src/config/defaults.ts";
import { loadSettings } from "../../src/config/load.ts";
import { DETECTORS } from "../../src/detectors/index.ts";

/** The parts of a manifest that are checked. */
interface Container {
  readonly name: string;
  readonly image: string;
  readonly restartPolicy?: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly env: readonly { readonly name: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface PodTemplate {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
  } & Readonly<Record<string, unknown>>;
}

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const dockerfile = read("Dockerfile");
const { version } = JSON.parse(read("package.json")) as { readonly version: string };
const lastOf = (pattern: RegExp) => Number([...dockerfile.matchAll(pattern)].at(-1)?.[1]);
const uid = lastOf(/^USER (\d+)$/gm);
const port = lastOf(/^EXPOSE (\d+)$/gm);

function example(file: string) {
  const documents = parseAllDocuments(read(`deploy/example/${file}`));
  const errors = documents.flatMap((document) => document.errors);
  const [configMap, deployment] = documents.map((document) => document.toJS() as unknown) as [
    { readonly data: Readonly<Record<string, string>> },
    { readonly spec: { readonly template: PodTemplate } },
  ];
  const { template } = deployment.spec;
  const { initContainers = [], containers } = template.spec;
  const all = [...initContainers, ...containers];
  const agent = all.find(({ name }) => name === "grpc-doctor");
  return { errors, configuration: configMap.data["config.yaml"] ?? "", template, all, agent };
}

describe.each(["native-sidecar.yaml", "classic-container.yaml"])("deploy/example/%s", (file) => {
  const { errors, configuration, template, all, agent } = example(file);

  it("is YAML, and names this version of the image", () => {
    expect({ errors, image: agent?.image }).toEqual({
      errors: [],
      image: `ghcr.io/grpc-doctor/grpc-doctor:${version}`,
    });
  });

  it("gives only a command and flags that exist, and a file that is mounted", () => {
    const [command, ...rest] = agent?.args ?? [];
    const known = COMMANDS.find(({ name }) => name === command)?.flags.map(({ name }) => name);
    const flags = rest.filter((word) => word.startsWith("--")).map((word) => word.slice(2));
    expect(known).toEqual(expect.arrayContaining(flags));
    expect(rest.at(-1)).toBe(`${agent?.volumeMounts[0]?.mountPath}/config.yaml`);
  });

  it("has a configuration without fault", () => {
    const settings = loadSettings({
      text: configuration,
      file,
      environment: {},
      fileExists: () => false,
      readFile: () => "",
      detectors: DETECTORS,
    });
    expect(settings.targets.map(({ address }) => address)).toEqual(["localhost:50051"]);
  });

  it("names the agent's own port, which the image exposes, and the annotations too", () => {
    const defaults = defaultSettings({ detectors: [] });
    expect(defaults).toMatchObject({ value: { listen: { port } } });
    expect(agent?.ports.map(({ containerPort }) => containerPort)).toEqual([port]);
    expect(template.metadata.annotations["prometheus.io/port"]).toBe(`${port}`);
  });

  it("tells the agent who it is", () => {
    const given = Object.fromEntries(agent?.env.map(({ name }) => [name, name]) ?? []);
    expect(identityFrom(given, { version, node: "v24" })).toEqual({
      version,
      node: "v24",
      pod: "POD_NAME",
      seed: "POD_UID",
      podAddress: "POD_IP",
    });
  });

  it("is restricted, as the image's own user, without a token", () => {
    const restricted = {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    };
    expect(all.map(({ securityContext }) => securityContext)).toMatchObject([
      restricted,
      restricted,
    ]);
    expect(agent?.securityContext["runAsUser"]).toBe(uid);
    expect(template.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
  });

  it("has no probe on the agent", () => {
    expect(Object.keys(agent ?? {}).filter((key) => key.endsWith("Probe"))).toEqual([]);
  });
});

it("is a native sidecar in the one, and a classic container in the other", () => {
  const policies = ["native-sidecar.yaml", "classic-container.yaml"].map((file) => {
    const { initContainers } = example(file).template.spec;
    return initContainers?.map(({ restartPolicy }) => restartPolicy);
  });
  expect(policies).toEqual([["Always"], undefined]);
});
