import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { componentFiles } from "../../src/inject/component.ts";
import { admissionFiles } from "../../src/inject/policy.ts";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const { version } = JSON.parse(read("package.json")) as { readonly version: string };
const IMAGE = `ghcr.io/grpc-doctor/grpc-doctor:${version}`;

const COMPONENT = Object.entries(componentFiles(IMAGE)).map(
  ([file, value]) => [file, [value]] as const,
);

it.each<readonly [string, readonly object[]]>([
  ...COMPONENT,
  ...Object.entries(admissionFiles(IMAGE)),
])("%s is generated from what inject puts in", (file, documents) => {
  expect(parseAllDocuments(read(file)).map((document) => document.toJS() as object)).toEqual(
    documents,
  );
});
