import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { componentFiles } from "../../src/inject/component.ts";

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
const { version } = JSON.parse(read("package.json")) as { readonly version: string };

it.each(Object.entries(componentFiles(`ghcr.io/grpc-doctor/grpc-doctor:${version}`)))(
  "%s is generated from what inject puts in",
  (file, value) => {
    expect(parse(read(file))).toEqual(value);
  },
);
