import { describe, expect, it } from "vitest";
import { inject, uninject } from "../../src/inject/inject.ts";

const DEFAULTS = { image: "grpc-doctor:1", mode: "native" } as const;

const YAML = `# ours
kind: Pod
metadata:
  name: orders   # aligned
spec:

  containers:
    - name: orders
      command: [sh, -c, "a\\r\\n"]
      args:
        - |
          one
          two
      ports: [{name: grpc, containerPort: 50051}]
`;
const JSON_POD = `{
  "kind": "Pod",
  "metadata": {
    "name": "orders"
  },
  "spec": {
    "containers": [
      {
        "name": "orders",
        "ports": [
          {
            "name": "grpc",
            "containerPort": 50051
          }
        ]
      }
    ]
  }
}
`;
const ALONE = `kind: ConfigMap
data:
  a: |
    one
    two
`;

const dos = (text: string) => text.replaceAll("\n", "\r\n");

describe.each([
  ["YAML", YAML],
  ["JSON", JSON_POD],
  ["several", `${ALONE}---\n${YAML}---\n${JSON_POD}---\n${ALONE}`],
])("lines of %s that end in CRLF", (_, text) => {
  it("end so with the agent, and say the same", () => {
    expect(inject(dos(text), DEFAULTS).text).toBe(dos(inject(text, DEFAULTS).text));
  });

  it("are the same to the byte when it is out again", () => {
    expect(uninject(inject(dos(text), DEFAULTS).text).text).toBe(dos(text));
  });
});

it("what is left alone keeps its ends, whatever the others have", () => {
  const text = `${dos(ALONE)}---\n${YAML}---\n${ALONE}`;
  const there = inject(text, DEFAULTS).text;
  expect(there).toBe(`${dos(ALONE)}---\n${inject(YAML, DEFAULTS).text}---\n${ALONE}`);
  expect(uninject(there).text).toBe(text);
});

it("ends of both kinds become those of the first", () => {
  const lines = YAML.split("\n");
  const mixed = `${lines[0]}\r\n${lines.slice(1).join("\n")}`;
  expect(inject(mixed, DEFAULTS).text).toBe(dos(inject(YAML, DEFAULTS).text));
});
