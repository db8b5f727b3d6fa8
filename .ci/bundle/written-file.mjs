import { isMessage } from "@bufbuild/protobuf";

/**
 * The message of a file's descriptor as plain data, for `hydratedFile`: each message in it with the number of its
 * type, and without the lists that are empty; of each type the defaults that its messages inherit, and its lists.
 */
export function writtenFile({ proto }) {
  const types = [];
  const written = (value) => {
    if (Array.isArray(value)) return value.map(written);
    if (isMessage(value)) return writtenMessage(value);
    if (["string", "number", "boolean"].includes(typeof value)) return value;
    throw new Error(`${proto.name} holds a ${typeof value}, which is not written`);
  };
  const writtenMessage = (message) => {
    const kept = Object.entries(message).filter(
      ([key, value]) => key !== "$typeName" && !(Array.isArray(value) && value.length === 0),
    );
    return {
      $: typeOf(types, message),
      ...Object.fromEntries(kept.map(([key, value]) => [key, written(value)])),
    };
  };
  const file = written(proto);
  return { types, file };
}

/** The number of a message's type, which is noted where it is first met. */
function typeOf(types, message) {
  const at = types.findIndex(({ name }) => name === message.$typeName);
  if (at !== -1) return at;
  const lists = Object.keys(message).filter((key) => Array.isArray(message[key]));
  const prototype = Object.getPrototypeOf(message);
  const defaults = prototype === Object.prototype ? {} : { ...prototype };
  return types.push({ name: message.$typeName, defaults, lists }) - 1;
}
