import { describe, expect, it } from "vitest";
import { inject, uninject } from "../../src/inject/inject.ts";

const DEFAULTS = { image: "grpc-doctor:1", mode: "native" } as const;

/** Twenty digits and an escape that nobody needs, as `kubectl get -o json` writes them. */
const DEPLOYMENT = `{
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "annotations": {
            "shown": "\\u003cb\\u003e"
        },
        "generation": 12345678901234567890,
        "name": "orders"
    },
    "spec": {
        "template": {
            "metadata": {
                "creationTimestamp": null
            },
            "spec": {
                "containers": [
                    {
                        "name": "orders",
                        "ports": [
                            {
                                "containerPort": 50051,
                                "name": "grpc"
                            }
                        ],
                        "resources": {}
                    }
                ]
            }
        }
    }
}
`;

const LIST = `{
  "kind": "List",
  "items": [
${DEPLOYMENT.trimEnd()}
  ]
}
`;

/** Where the agent is, by the one sentence that a JSON parser hears. */
function agentIn(text: string): unknown {
  const { kind, items = [], ...only } = JSON.parse(text);
  const { metadata, spec } = (kind === "List" ? items[0] : only).spec.template;
  const [{ name, args, ports, securityContext }] = spec.initContainers;
  const { runAsNonRoot, runAsUser } = securityContext;
  return { annotations: metadata.annotations, name, args, ports, runAsNonRoot, runAsUser };
}

const AGENT = {
  annotations: {
    "grpc-doctor.io/status": "injected",
    "traffic.sidecar.istio.io/excludeInboundPorts": "19464",
    "config.linkerd.io/skip-inbound-ports": "19464",
  },
  name: "grpc-doctor",
  args: ["run", "--target", "localhost:50051"],
  ports: [{ name: "grpc-doctor", containerPort: 19464 }],
  runAsNonRoot: true,
  runAsUser: 65532,
};

const compact = JSON.stringify(JSON.parse(DEPLOYMENT));

describe("JSON comes out as JSON", () => {
  it.each([
    ["without a pod that serves gRPC", DEPLOYMENT.replace('"grpc"', '"http"')],
    ["on one line", compact.replace('"grpc"', '"http"')],
  ])("to the byte, %s", (_, text) => {
    expect(inject(text, DEFAULTS).text).toBe(text);
  });

  it.each([
    ["an object", DEPLOYMENT],
    ["a List", LIST],
    ["one line", compact],
    ["tabs", DEPLOYMENT.replaceAll("    ", "\t")],
    ["no layout at all", DEPLOYMENT.replaceAll(/\n */g, "\n")],
  ])("%s, with the agent, and back", (_, text) => {
    const { text: there, changed } = inject(text, DEFAULTS);
    expect(agentIn(there)).toEqual(AGENT);
    expect(changed).toEqual(["Deployment orders"]);
    expect(inject(there, DEFAULTS)).toEqual({ text: there, left: [], changed: [] });
    expect(JSON.parse(uninject(there).text)).toEqual(JSON.parse(text));
  });

  it("with the layout that it had, to the digit", () => {
    const { text } = inject(DEPLOYMENT, DEFAULTS);
    const lines = new Set(text.split("\n"));
    const lost = DEPLOYMENT.split("\n").filter((line) => !lines.has(line));
    expect(lost).toEqual(['                "creationTimestamp": null']);
    expect(uninject(text).text).toBe(DEPLOYMENT);
  });

  it("beside documents of YAML", () => {
    const text = `# first\n---\n${DEPLOYMENT}---\nkind: Namespace\n`;
    const [first, second = "", third] = inject(text, DEFAULTS).text.split("---\n");
    expect([first, third]).toEqual(["# first\n", "kind: Namespace\n"]);
    expect(agentIn(second)).toEqual(AGENT);
  });
});
