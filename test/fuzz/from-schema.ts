import fc, { type Arbitrary } from "fast-check";
import type * as z from "zod";
import { NASTY } from "./mutation.ts";

/**
 * An arbitrary of what a zod schema accepts, mostly: refinements are not looked into, and texts and
 * lists stay far below their bounds. So a schema that gains a fact gains its inputs with it.
 */
export function fromSchema(schema: z.ZodType): Arbitrary<unknown> {
  const definition = schema._zod.def as unknown as Definition;
  const inner = (part: z.ZodType | undefined) => fromSchema(part ?? missing(definition));
  switch (definition.type) {
    case "string":
      return text;
    case "number":
      return number;
    case "boolean":
      return fc.boolean();
    case "unknown":
      return fc.constant([]);
    case "literal":
      return fc.constantFrom(...(definition.values ?? []));
    case "enum":
      return fc.constantFrom(...Object.values(definition.entries ?? {}));
    case "nullable":
      return fc.oneof(fc.constant(null), inner(definition.innerType));
    case "optional":
    case "default":
      return inner(definition.innerType);
    case "pipe":
      return inner(definition.in);
    case "union":
      return fc.oneof(...(definition.options ?? []).map(fromSchema));
    case "array":
      return fc.array(inner(definition.element), { maxLength: 3 });
    case "record":
      return fc.dictionary(keyOf(definition), inner(definition.valueType), {
        maxKeys: 3,
        noNullPrototype: true,
      });
    case "object":
      return objectOf(definition.shape ?? {});
    default:
      return missing(definition);
  }
}

interface Definition {
  readonly type: string;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly element?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

function missing({ type }: Definition): never {
  throw new Error(`no arbitrary for a schema of the type ${type}`);
}

function objectOf(shape: Readonly<Record<string, z.ZodType>>): Arbitrary<unknown> {
  const entries = Object.entries(shape);
  const isNeeded = ([, schema]: [string, z.ZodType]) =>
    !["optional", "default"].includes(schema._zod.def.type);
  const members = Object.fromEntries(entries.map(([key, schema]) => [key, fromSchema(schema)]));
  return fc.record(members, {
    requiredKeys: entries.filter(isNeeded).map(([key]) => key),
    noNullPrototype: true,
  });
}

function keyOf({ keyType }: Definition): Arbitrary<string> {
  // An object of `__proto__` is one that JSON.parse makes and an object literal does not.
  const key = keyType === undefined ? text : (fromSchema(keyType) as Arbitrary<string>);
  return key.filter((name) => name !== "__proto__");
}

/** Names, addresses and words of servers beside what is nasty. */
const text = fc.oneof(
  fc.constantFrom(
    "app",
    "inventory",
    "grpc-doctor",
    "orders.shop.svc:50051",
    "127.0.0.1:50051",
    "10.0.0.1:50051",
    "[::1]:50051",
    "0.0.0.0:50051",
    "unix:/tmp/app.sock",
    "order.OrderService/GetOrder",
    "h2",
    "ECONNREFUSED",
    "too_many_pings",
    "ok",
    "x".repeat(300),
  ),
  fc.string({ maxLength: 12 }),
  fc.constantFrom(...NASTY),
);

/** 2026-01-15T12:00:00Z, the NOW of the builders. */
const NOW = 1_768_478_400_000;

/** Counts, instants around now, and the ends of what a number can be. JSON has no negative zero. */
const number = fc.oneof(
  { weight: 4, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.nat(200_000) },
  { weight: 4, arbitrary: fc.integer({ min: NOW - 1_000_000, max: NOW + 1000 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(-1, 0.1, 1e15, 8.64e15, 2 ** 53 - 1, 1e300, -1e300, 5e-324),
  },
  {
    weight: 1,
    arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
  },
);

/** A change of one place of a JSON tree: another value, or nothing, or the list doubled. */
export const treeEdit = fc.record({
  at: fc.nat(),
  change: fc.oneof(
    fc.record({ number }),
    fc.record({ text }),
    fc.constantFrom({ drop: true } as const, { double: true } as const, { flip: true } as const),
  ),
});

type TreeEdit = typeof treeEdit extends Arbitrary<infer T> ? T : never;
type Tree = Record<string | number, unknown>;

/** The tree with these edits; what is edited keeps its kind where the edit has one of it. */
export function edited(tree: unknown, edits: readonly TreeEdit[]): unknown {
  const root = structuredClone({ tree }) as { tree: unknown };
  for (const { at, change } of edits) {
    const places = placesOf(root as Tree);
    const place = places[at % places.length];
    if (place !== undefined) apply(place, change);
  }
  return root.tree;
}

interface Place {
  readonly holder: Tree;
  readonly key: string | number;
}

function placesOf(holder: Tree): readonly Place[] {
  return Object.keys(holder).flatMap((key): readonly Place[] => {
    const value = holder[key];
    const below = typeof value === "object" && value !== null ? placesOf(value as Tree) : [];
    return [{ holder, key }, ...below];
  });
}

function apply({ holder, key }: Place, change: TreeEdit["change"]): void {
  const value = holder[key];
  if ("drop" in change) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  } else if ("double" in change && Array.isArray(value)) holder[key] = [...value, ...value];
  else if ("flip" in change && typeof value === "boolean") holder[key] = !value;
  else if ("number" in change && typeof value === "number") holder[key] = change.number;
  else if ("text" in change && typeof value === "string") holder[key] = change.text;
}
