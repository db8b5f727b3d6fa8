import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** A value of the agent's configuration. */
type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
type Fields = Readonly<Record<string, Value>>;

/** What the agent's configuration says of one hostile server; names are added to it. */
export interface Watched {
  /** `address`, and whatever else the case is about. Absent = the server is no target. */
  readonly target?: Fields & { readonly address: string };
  /** Everything but name and target. */
  readonly probe?: Fields & { readonly method: string };
  /** The agent's own collector of spans, which gets one each second. */
  readonly collector?: string;
}

/** One way to be hostile: starts its servers, which live as long as their process. */
export type HostileCase = () => Promise<Watched>;

/** By the name of the target, which is what the agent calls it. */
export type Gallery = Readonly<Record<string, HostileCase>>;

/** A case of one server whose address is all that there is to say. */
export function at(start: () => Promise<{ readonly address: string }>): HostileCase {
  return async () => ({ target: { address: (await start()).address } });
}

/** The same, met by a probe besides, whatever our own connection finds: it needs to ask for nothing first. */
export function probed(start: () => Promise<{ readonly address: string }>): HostileCase {
  return async () => {
    const { address } = await start();
    return {
      target: { address, tls: "off", protoset: protoset() },
      probe: { method: "a.A/Go", connection: "kept" },
    };
  };
}

/** A descriptor set of one method, `a.A/Go`, in a file; its folder goes with the machine's temporary files. */
function protoset(): string {
  const file = join(mkdtempSync(join(tmpdir(), "grpc-doctor-test-")), "a.binpb");
  const method = [{ name: "Go", inputType: ".a.M", outputType: ".a.M" }];
  const shape = {
    name: "a.proto",
    package: "a",
    syntax: "proto3",
    messageType: [{ name: "M" }],
    service: [{ name: "A", method }],
  };
  const set = create(FileDescriptorSetSchema, { file: [shape] });
  writeFileSync(file, toBinary(FileDescriptorSetSchema, set));
  return file;
}
