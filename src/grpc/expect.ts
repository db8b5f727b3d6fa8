import {
  type CelResult,
  type CelUint,
  celEnv,
  isCelError,
  isCelUint,
  parse,
  plan,
  unparse,
} from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { create, type FileRegistry, type Message } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { counted } from "../model/counted.ts";
import { knownWords, wordsOf } from "../model/known-words.ts";
import { maskText } from "../model/mask.ts";
import type { StatusName } from "../model/status.ts";
import { type AnswerTypes, assertionFault } from "./assertion-fault.ts";
import type { Metadata } from "./transport.ts";

/** What an expression can speak of. */
export interface Outcome {
  readonly responses: readonly Message[];
  readonly headers: Metadata;
  readonly trailers: Metadata;
  readonly status: StatusName;
  readonly latencyMs: number;
}

/** The first expression that did not hold, and what was there instead. */
export interface Unmet {
  readonly assertion: string;
  readonly actual: string;
}

/**
 * Judges CEL expressions over an answer: `response` (the first message, null if none), `responses`,
 * `headers` and `trailers` (maps; repeated keys are joined), `status` (`"OK"`), `latency` (a duration).
 * Each must be true. A CEL error, as of a field that is not there, is an expression that did not hold.
 *
 * `actual` tells the left side of a comparison where it is a number, a truth value or an enumeration;
 * of a text only the length, since an answer may hold what no log should.
 */
export function firstUnmet(
  expressions: readonly string[],
  outcome: Outcome,
  registry: FileRegistry,
): Unmet | undefined {
  const bindings = bindingsOf(outcome);
  for (const assertion of expressions) {
    const { result, left } = evaluate(assertion, registry, bindings);
    if (result !== true)
      return { assertion, actual: left ?? maskText(described(result, assertion)) };
  }
  return undefined;
}

/**
 * Why a text is no CEL expression, or none that can be true or false; `undefined` where it may be. The
 * types of the answer tell of its fields as well.
 */
export function expressionFault(expression: string, answer?: AnswerTypes): string | undefined {
  try {
    plan(celEnv({ funcs: strings }), parse(expression));
    const fault = assertionFault(expression, answer);
    return fault === undefined ? undefined : maskText(fault);
  } catch (thrown) {
    return maskText(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

type Bindings = ReturnType<typeof bindingsOf>;
type Evaluate = (bindings: Bindings) => CelResult;

/** An expression, ready to be evaluated. */
interface Program {
  readonly evaluate: Evaluate;
  /** The left side of a comparison, as it is written. */
  readonly left?: { readonly text: string; readonly evaluate: Evaluate };
}

/** Making a program costs many times what running it does. They go with the types that they speak of. */
const PROGRAMS = new WeakMap<FileRegistry, Map<string, Program>>();

const COMPARISONS: ReadonlySet<string> = new Set(["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"]);

function evaluate(expression: string, registry: FileRegistry, bindings: Bindings) {
  try {
    const program = programOf(expression, registry);
    const result = program.evaluate(bindings);
    const { left } = program;
    if (result !== false || left === undefined) return { result };
    return {
      result,
      left: maskText(`${left.text} = ${described(left.evaluate(bindings), expression)}`),
    };
  } catch (thrown) {
    return { result: undefined, left: errorText(messageOf(thrown), expression) };
  }
}

/** Throws for a text that is no expression. */
function programOf(expression: string, registry: FileRegistry): Program {
  const programs = PROGRAMS.get(registry) ?? new Map<string, Program>();
  PROGRAMS.set(registry, programs);
  const program = programs.get(expression) ?? makeProgram(expression, registry);
  programs.set(expression, program);
  return program;
}

function makeProgram(expression: string, registry: FileRegistry): Program {
  const env = celEnv({ registry, funcs: strings });
  const parsed = parse(expression);
  const call = parsed.expr?.exprKind;
  const isComparison = call?.case === "callExpr" && COMPARISONS.has(call.value.function);
  const [operand] = isComparison ? call.value.args : [];
  if (operand === undefined) return { evaluate: plan(env, parsed) };
  return {
    evaluate: plan(env, parsed),
    left: { text: textOf(operand), evaluate: plan(env, operand) },
  };
}

/** A macro (`map`, `all` …) is a loop once it was parsed, which has no text of its own. */
function textOf(operand: Parameters<typeof unparse>[0]): string {
  try {
    return unparse(operand);
  } catch {
    return "the left side";
  }
}

/** What CEL says of an error, but for what it quotes. */
const PLAIN_WORDS: ReadonlySet<string> = new Set(
  wordsOf(
    "field not found index out of bounds unsupported key type no matching overload for applied to on " +
      "undeclared reference in container unresolved attribute unbound function map conflict mismatch " +
      "expected got iterable vs Unable to convert string Failed to decode bytes as string parse " +
      "duration timestamp range overflow during divide modulus by zero invalid argument error value " +
      "bool int uint double bytes string list map null_type dyn type google protobuf Timestamp Duration " +
      "Any any Struct ListValue Value Registry registry Message message Unknown unknown length negative input object",
  ),
);

/** The words of the expression itself stay; what else an error quotes is of the answer. */
function errorText(message: string, expression: string): string {
  const own = new Set(wordsOf(expression));
  const text = knownWords(message, (word) => PLAIN_WORDS.has(word) || own.has(word));
  return maskText(`error: ${text}`);
}

function bindingsOf({ responses, headers, trailers, status, latencyMs }: Outcome) {
  const seconds = BigInt(Math.floor(latencyMs / 1000));
  const nanos = Math.floor((latencyMs % 1000) * 1_000_000);
  return {
    response: responses[0] ?? null,
    responses: [...responses],
    headers: new Map(Object.entries(joined(headers))),
    trailers: new Map(Object.entries(joined(trailers))),
    status,
    latency: create(DurationSchema, { seconds, nanos }),
  };
}

function joined(metadata: Metadata): Readonly<Record<string, string>> {
  const record: Record<string, string> = Object.create(null);
  for (const [key, value] of metadata) {
    record[key] = record[key] === undefined ? value : `${record[key]}, ${value}`;
  }
  return record;
}

function described(result: CelResult | undefined, expression: string): string {
  if (isCelError(result)) return errorText(result.message, expression);
  switch (typeof result) {
    case "boolean":
    case "number":
    case "bigint":
      return String(result);
    case "string":
      return `a text of ${counted(result.length, "character")}`;
    default:
      return isUint(result) ? String(result.value) : result === null ? "null" : "no truth value";
  }
}

function isUint(result: unknown): result is CelUint {
  return isCelUint(result);
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
