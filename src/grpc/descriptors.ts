import { create, createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Type as FieldType,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { Clock } from "../model/time.ts";
import { CallError } from "./call-error.ts";
import { createTurns } from "./turns.ts";
import { WELL_KNOWN_FILES } from "./well-known-files.ts";

/** A registry from the bytes of a `FileDescriptorSet`. Throws `CallError` with reason `descriptor`. */
export function registryFromSet(bytes: Uint8Array): FileRegistry {
  return guarded(() => registryFromFiles(fromBinary(FileDescriptorSetSchema, bytes).file));
}

/** The methods of a `FileDescriptorSet` as `package.Service/Method`. Throws as `registryFromSet` does. */
export function methodsInSet(bytes: Uint8Array): readonly string[] {
  return [...registryFromSet(bytes)].flatMap((type) =>
    type.kind === "service" ? type.methods.map(({ name }) => `${type.typeName}/${name}`) : [],
  );
}

/**
 * A registry from files in any order, repaired where a server gave them incompletely.
 *
 * `@grpc/reflection` 1.0.4 serves what protobuf.js made of the files: type names are relative, imports
 * are not named, `proto3_optional` and the names in JSON are lost, and files of one package are merged. So every reference is
 * looked up as a compiler does, from the innermost scope outwards, and imports are derived from what
 * is referred to: that leaves a whole file's types as they were. The files are repaired in place. Throws
 * `CallError` with reason `descriptor` where a type is nowhere to be found.
 */
export function registryFromFiles(files: readonly FileDescriptorProto[]): FileRegistry {
  const steps = build(files);
  for (;;) {
    const step = guarded(() => steps.next());
    if (step.done === true) return step.value;
  }
}

/** The same, with turns of the event loop: a file of two hundred KiB takes a tenth of a second. */
export async function registryInTurns(
  files: readonly FileDescriptorProto[],
  clock: Clock,
): Promise<FileRegistry> {
  const turn = createTurns(clock);
  const steps = build(files);
  for (;;) {
    const step = guarded(() => steps.next());
    if (step.done === true) return step.value;
    await turn();
  }
}

/** A step for each file. */
function* build(files: readonly FileDescriptorProto[]): Generator<void, FileRegistry> {
  const known = new Set(WELL_KNOWN_FILES.map(({ name }) => name));
  const own = files.filter((file) => !known.has(file.name) && file.package !== "google.protobuf");
  const declared = declaredTypes([...WELL_KNOWN_FILES, ...own]);
  const lookUp = createLookUp(declared);
  for (const file of own) {
    repair(file, declared, lookUp);
    yield;
  }
  const registries = [wellKnown()];
  const built = new Map([...wellKnown().files].map((file) => [file.proto.name, file]));
  for (const file of importsFirst(own)) {
    const registry = createFileRegistry(file, (name) => built.get(name));
    registries.push(registry);
    const described = registry.getFile(file.name);
    if (described !== undefined) built.set(file.name, described);
    yield;
  }
  return createFileRegistry(...registries);
}

let wellKnownRegistry: FileRegistry | undefined;

function wellKnown(): FileRegistry {
  wellKnownRegistry ??= createFileRegistry(
    create(FileDescriptorSetSchema, { file: [...WELL_KNOWN_FILES] }),
  );
  return wellKnownRegistry;
}

interface Declared {
  readonly file: string;
  readonly type: FieldType.MESSAGE | FieldType.ENUM;
}

/** Full names without leading dot; the first file that declares one has it. */
function declaredTypes(files: readonly FileDescriptorProto[]): ReadonlyMap<string, Declared> {
  const declared = new Map<string, Declared>();
  for (const { name: file, package: scope, messageType, enumType } of files) {
    const add = (name: string, type: Declared["type"]) => {
      if (name.length > LONGEST_NAME) throw new Error("a name longer than any");
      if (!declared.has(name)) declared.set(name, { file, type });
    };
    for (const { name } of enumType) add(joined(scope, name), FieldType.ENUM);
    for (const { name, message } of allMessages(scope, messageType)) {
      add(name, FieldType.MESSAGE);
      for (const each of message.enumType) add(joined(name, each.name), FieldType.ENUM);
    }
  }
  return declared;
}

function* allMessages(
  scope: string,
  messages: readonly DescriptorProto[],
): Generator<{ readonly name: string; readonly message: DescriptorProto }> {
  for (const message of messages) {
    const name = joined(scope, message.name);
    yield { name, message };
    yield* allMessages(name, message.nestedType);
  }
}

function repair(
  file: FileDescriptorProto,
  declared: ReadonlyMap<string, Declared>,
  lookUp: LookUp,
): void {
  const imports = new Set<string>();
  const absolute = (reference: string, scope: string): string => {
    const name = lookUp(reference, scope);
    const from = name === undefined ? undefined : declared.get(name)?.file;
    if (from !== undefined && from !== file.name) imports.add(from);
    return name === undefined ? reference : `.${name}`;
  };
  const mend = (field: FieldDescriptorProto, scope: string) => {
    if (field.jsonName === "") field.jsonName = lowerCamelCase(field.name);
    if (field.extendee !== "") field.extendee = absolute(field.extendee, scope);
    if (field.typeName === "") return;
    field.typeName = absolute(field.typeName, scope);
    const type = declared.get(field.typeName.slice(1))?.type;
    // protobuf.js leaves the kind open where it had not resolved the reference.
    if (type !== undefined && field.type !== FieldType.GROUP) field.type = type;
  };

  for (const { name, message } of allMessages(file.package, file.messageType)) {
    for (const field of [...message.field, ...message.extension]) mend(field, name);
    if (file.syntax === "proto3") markOptional(message);
  }
  for (const field of file.extension) mend(field, file.package);
  for (const { method } of file.service) {
    for (const each of method) {
      each.inputType = absolute(each.inputType, file.package);
      each.outputType = absolute(each.outputType, file.package);
    }
  }
  file.dependency = [...imports];
  // They index a list that is another now, and everything is imported where it is used.
  file.publicDependency = [];
  file.weakDependency = [];
  file.optionDependency = [];
}

type LookUp = (reference: string, scope: string) => string | undefined;

/** A name of a type with its scope; what is longer would make each look-up dear. */
const LONGEST_NAME = 500;
/** References that are relative, times the scopes around each. */
const MOST_LOOK_UPS = 500_000;

/** As protoc: from the innermost scope outwards; a leading dot is absolute. */
function createLookUp(declared: ReadonlyMap<string, Declared>): LookUp {
  let left = MOST_LOOK_UPS;
  const isDeclared = (name: string) => {
    left -= 1;
    if (left < 0) throw new Error("more references than a program has");
    return declared.has(name);
  };
  return (reference, scope) => {
    if (reference.length > LONGEST_NAME) throw new Error("a name longer than any");
    if (reference.startsWith(".")) return reference.slice(1);
    for (
      let outer = scope;
      outer !== "";
      outer = outer.slice(0, Math.max(0, outer.lastIndexOf(".")))
    ) {
      if (isDeclared(`${outer}.${reference}`)) return `${outer}.${reference}`;
    }
    return isDeclared(reference) ? reference : undefined;
  };
}

/** A oneof `_name` around a lone field `name` is how a compiler writes `optional name`. */
function markOptional(message: DescriptorProto): void {
  for (const [index, oneof] of message.oneofDecl.entries()) {
    const members = message.field.filter(
      // 0 is the default of an unset index too: presence tells them apart.
      (field) => Object.hasOwn(field, "oneofIndex") && field.oneofIndex === index,
    );
    const [only] = members;
    if (only !== undefined && members.length === 1 && oneof.name === `_${only.name}`) {
      only.proto3Optional = true;
    }
  }
}

/** protoc's own rule: an underscore goes and raises the next letter. */
function lowerCamelCase(name: string): string {
  return name.replaceAll(/_+(.?)/g, (_all, letter: string) => letter.toUpperCase());
}

/** A registry reads a file after its imports. Two that import each other come as they are. */
function importsFirst(files: readonly FileDescriptorProto[]): readonly FileDescriptorProto[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const sorted = new Set<FileDescriptorProto>();
  const begun = new Set<string>();
  const stack = files.toReversed();
  for (let file = stack.at(-1); file !== undefined; file = stack.at(-1)) {
    const waiting = file.dependency.flatMap((name) =>
      begun.has(name) ? [] : (byName.get(name) ?? []),
    );
    begun.add(file.name);
    const isReady = waiting.length === 0;
    if (isReady) stack.pop();
    if (isReady) sorted.add(file);
    else stack.push(...waiting);
  }
  return [...sorted];
}

function joined(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

function guarded<T>(build: () => T): T {
  try {
    return build();
  } catch (thrown) {
    throw new CallError({ phase: "rpc", reason: "descriptor", cause: thrown });
  }
}
