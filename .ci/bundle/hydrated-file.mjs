import { createFileRegistry } from "@bufbuild/protobuf";

/**
 * The descriptor of a file from what `written` made of its message when the bundle was built (written-file.mjs).
 * The library's own `fileDesc` reads the message from bytes, for which it needs the descriptor of descriptors:
 * 0.8 MiB of heap that an agent without probes has no other use for.
 */
export function hydratedFile({ types, file }, imports = []) {
  const revived = (value) => {
    if (Array.isArray(value)) return value.map(revived);
    if (typeof value !== "object" || value === null) return value;
    const { $: at, ...fields } = value;
    const { name, defaults, lists } = types[at];
    const message = Object.assign(Object.create(defaults), { $typeName: name });
    for (const list of lists) message[list] = [];
    for (const [key, inside] of Object.entries(fields)) message[key] = revived(inside);
    return message;
  };
  const proto = revived(file);
  const resolve = (name) => imports.find((imported) => imported.proto.name === name);
  return createFileRegistry(proto, resolve).getFile(proto.name);
}
