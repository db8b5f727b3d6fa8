import { parse } from "@bufbuild/cel";
import {
  type DescField,
  type DescMessage,
  type FileRegistry,
  ScalarType,
} from "@bufbuild/protobuf";
import { nearest } from "../model/nearest.ts";

type Expr = ReturnType<typeof parse>["expr"];
type Kind<C extends Expr["exprKind"]["case"]> =
  Extract<Expr["exprKind"], { case: C }> extends { value: infer V } ? V : never;

/** What an expression yields, as far as that can be told before there is an answer. */
type Shape =
  | "bool"
  | "other"
  | "unknown"
  | { readonly message: DescMessage }
  | { readonly list: Shape }
  | { readonly map: Shape };

/** The answer of the method that is asserted on, where its descriptors are at hand. */
export interface AnswerTypes {
  readonly output: DescMessage;
  readonly registry: FileRegistry;
}

/**
 * Why a parsed expression can never be true or false, whatever is answered: it names what is not there
 * (a variable, a function, a field of the answer), or it yields a number, a text, a list. `undefined`
 * where it may be fine: what cannot be told is not refused.
 *
 * Source: the CEL language definition (google/cel-spec doc/langdef.md), sections on names and macros.
 */
export function assertionFault(expression: string, answer?: AnswerTypes): string | undefined {
  const response = answer === undefined ? "unknown" : { message: answer.output };
  const scope: Scope = new Map<string, Shape>([
    ["response", response],
    ["responses", { list: response }],
    ["headers", { map: "other" }],
    ["trailers", { map: "other" }],
    ["status", "other"],
    ["latency", "other"],
  ]);
  try {
    const shape = shapeOf(parse(expression).expr, { scope, registry: answer?.registry });
    return mayBeTrue(shape) ? undefined : "it is never true or false";
  } catch (thrown) {
    if (thrown instanceof Mistake) return thrown.message;
    throw thrown;
  }
}

type Scope = ReadonlyMap<string, Shape>;

interface Known {
  readonly scope: Scope;
  readonly registry: FileRegistry | undefined;
}

class Mistake extends Error {}

/** Null stands for a wrapper that is not set, a message for `Value`: both are told as unknown. */
function mayBeTrue(shape: Shape): boolean {
  return shape === "bool" || shape === "unknown";
}

function shapeOf(expr: Expr | undefined, known: Known): Shape {
  const kind = expr?.exprKind;
  switch (kind?.case) {
    case "identExpr":
      return named(kind.value.name, known);
    case "selectExpr":
      return selected(kind.value, known);
    case "callExpr":
      return called(kind.value, known);
    case "comprehensionExpr":
      return looped(kind.value, known);
    default:
      return kind === undefined ? "unknown" : written(kind, known);
  }
}

/** Of what stands there as itself. */
function written(kind: Expr["exprKind"], known: Known): Shape {
  switch (kind.case) {
    case "constExpr":
      return kind.value.constantKind.case === "boolValue" ? "bool" : "other";
    case "listExpr":
      for (const element of kind.value.elements) shapeOf(element, known);
      return { list: "unknown" };
    case "structExpr":
      return "other";
    default:
      return "unknown";
  }
}

/** What CEL itself names. */
const TYPE_NAMES: ReadonlySet<string> = new Set(
  "bool bytes double dyn int list map null_type string type uint".split(" "),
);

function named(name: string, { scope, registry }: Known): Shape {
  const plain = name.replace(/^\./, "");
  const shape = scope.get(plain);
  if (shape !== undefined) return shape;
  if (TYPE_NAMES.has(plain) || registry?.get(plain) !== undefined) return "other";
  const names = [...scope.keys()].filter((each) => !each.startsWith("@"));
  throw new Mistake(`nothing is called ${plain} there, but ${names.join(", ")}`);
}

function selected(select: Kind<"selectExpr">, known: Known): Shape {
  const { operand, field, testOnly } = select;
  if (operand !== undefined && isQualifiedName(operand, field, known)) return "unknown";
  const shape = memberOf(shapeOf(operand, known), field);
  return testOnly ? "bool" : shape;
}

/** `order.Status.PAID`: where the types are not at hand, any name with a dot may be one. */
function isQualifiedName(operand: Expr, field: string, { scope, registry }: Known): boolean {
  const path = [...(pathOf(operand) ?? [])];
  const [root] = path;
  if (root === undefined || scope.has(root)) return false;
  if (registry === undefined) return true;
  const names = [...path, field].map((_, index, all) => all.slice(0, index + 1).join("."));
  const types = [...registry].map(({ typeName }) => typeName);
  const longest = names.at(-1) ?? root;
  return types.some((type) => names.includes(type) || type.startsWith(`${longest}.`));
}

function pathOf({ exprKind }: Expr): readonly string[] | undefined {
  if (exprKind.case === "identExpr") return [exprKind.value.name.replace(/^\./, "")];
  if (exprKind.case !== "selectExpr" || exprKind.value.operand === undefined) return undefined;
  const before = pathOf(exprKind.value.operand);
  return before && [...before, exprKind.value.field];
}

function memberOf(shape: Shape, field: string): Shape {
  if (typeof shape !== "object") return "unknown";
  if ("map" in shape) return shape.map;
  if ("list" in shape) return "unknown";
  const { typeName, fields } = shape.message;
  const found = fields.find(({ name }) => name === field);
  if (found !== undefined) return shapeOfField(found);
  const meant = nearest(
    field,
    fields.map(({ name }) => name),
  );
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  throw new Mistake(`${typeName} has no field ${field}${hint}`);
}

function shapeOfField(field: DescField): Shape {
  const shape = shapeOfElement(field.message, field.scalar);
  if (field.fieldKind === "list") return { list: shape };
  return field.fieldKind === "map" ? { map: shape } : shape;
}

/** The well-known types are values of their own in CEL: a `Value` may be true, a wrapper null. */
function shapeOfElement(message: DescMessage | undefined, scalar: ScalarType | undefined): Shape {
  if (message === undefined) return scalar === ScalarType.BOOL ? "bool" : "other";
  return message.typeName.startsWith("google.protobuf.") ? "unknown" : { message };
}

const LOGIC = new Set(["!_", "_&&_", "_||_"]);
/** Operators and functions that yield true or false. */
const CONDITIONS = new Set([
  ...LOGIC,
  ..."_==_ _!=_ _<_ _<=_ _>_ _>=_ @in contains endsWith startsWith matches bool".split(" "),
]);
/** Those that yield something else. */
const VALUES = new Set(
  (
    "_+_ _-_ _*_ _/_ _%_ -_ size int uint double string bytes duration timestamp type " +
    "charAt format indexOf join lastIndexOf lowerAscii quote replace split substring trim upperAscii " +
    "getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes " +
    "getMonth getSeconds"
  ).split(" "),
);

function called({ function: name, target, args }: Kind<"callExpr">, known: Known): Shape {
  const isOfTarget = target !== undefined && pathOf(target)?.join(".") !== "strings";
  const shapes = [...(isOfTarget ? [target] : []), ...args].map((each) => shapeOf(each, known));
  if (LOGIC.has(name)) for (const shape of shapes) condition(shape);
  if (CONDITIONS.has(name)) return "bool";
  if (VALUES.has(name)) return "other";
  const shaped = SHAPED[name];
  if (shaped === undefined) throw new Mistake(`there is no function ${name}`);
  return shaped(shapes);
}

/** Those that yield what they were given. */
const SHAPED: Readonly<Record<string, (shapes: readonly Shape[]) => Shape>> = {
  __proto__: null as never,
  "_?_:_": chosen,
  "_[_]": ([container]) => elementOf(container),
  dyn: ([value = "unknown"]) => value,
};

function chosen([test = "unknown", ...branches]: readonly Shape[]): Shape {
  condition(test);
  return branches.some(mayBeTrue) ? "unknown" : "other";
}

function condition(shape: Shape): void {
  if (!mayBeTrue(shape)) throw new Mistake("a part of it that must be is never true or false");
}

function elementOf(shape: Shape | undefined): Shape {
  if (typeof shape !== "object" || "message" in shape) return "unknown";
  return "list" in shape ? shape.list : shape.map;
}

/** A macro (`all`, `map` …), which is a loop once it was parsed. */
function looped(loop: Kind<"comprehensionExpr">, known: Known): Shape {
  const { iterVar, iterVar2, iterRange, accuVar, accuInit, loopStep, result } = loop;
  const range = shapeOf(iterRange, known);
  const each = typeof range === "object" && "list" in range ? range.list : "unknown";
  const inside = new Map(known.scope).set(accuVar, shapeOf(accuInit, known));
  const yields = shapeOf(result, { ...known, scope: inside });
  // With two variables the first is the index.
  inside.set(iterVar, iterVar2 === "" ? each : "unknown");
  if (iterVar2 !== "") inside.set(iterVar2, each);
  shapeOf(loopStep, { ...known, scope: inside });
  return yields;
}
