import type {
  DescEnum,
  DescField,
  DescMessage,
  DescMethod,
  DescService,
  FileRegistry,
} from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";

/**
 * A symbol as grpcurl's `describe` shows it: what it is, then its declaration in the language of .proto
 * files. `undefined` where the registry does not know it. Symbols: a service, a method (with a dot or a
 * slash before its name), a message, one of its fields, or an enumeration.
 */
export function describeSymbol(registry: FileRegistry, symbol: string): string | undefined {
  const name = symbol.replace(/^\./, "").replace("/", ".");
  const type = registry.get(name);
  switch (type?.kind) {
    case "service":
      return `${name} is a service:\n${serviceText(type)}`;
    case "message":
      return `${name} is a message:\n${messageText(type, "")}`;
    case "enum":
      return `${name} is an enum:\n${enumText(type, "")}`;
    default:
      return memberText(registry, name);
  }
}

/** Every symbol that can be described, for a hint where one was mistyped. */
export function symbolsOf(registry: FileRegistry): readonly string[] {
  return [...registry].flatMap((type) => {
    if (type.kind === "service")
      return [type.typeName, ...type.methods.map(({ name }) => `${type.typeName}.${name}`)];
    return type.kind === "message" || type.kind === "enum" ? [type.typeName] : [];
  });
}

function memberText(registry: FileRegistry, name: string): string | undefined {
  const dot = name.lastIndexOf(".");
  const [owner, member] = [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
  const method = registry.getService(owner)?.methods.find((each) => each.name === member);
  if (method !== undefined) return `${name} is a method:\n${methodText(method, "")}`;
  const field = registry.getMessage(owner)?.fields.find((each) => each.name === member);
  return field && `${name} is a field:\n${fieldText(field)}`;
}

function serviceText({ name, methods }: DescService): string {
  const sorted = methods.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return block(
    `service ${name}`,
    "",
    sorted.map((method) => `  ${methodText(method, "  ")}`),
  );
}

function methodText(method: DescMethod, indent: string): string {
  const { name, input, output, methodKind } = method;
  const takesStream = methodKind === "client_streaming" || methodKind === "bidi_streaming";
  const givesStream = methodKind === "server_streaming" || methodKind === "bidi_streaming";
  const request = `${takesStream ? "stream " : ""}.${input.typeName}`;
  const response = `${givesStream ? "stream " : ""}.${output.typeName}`;
  const head = `rpc ${name} ( ${request} ) returns ( ${response} )`;
  const options = optionsOf(method).map((option) => `${indent}  option ${option};`);
  return options.length === 0 ? `${head};` : block(head, indent, options);
}

/** Those that a caller must know; custom ones would need their extensions. */
function optionsOf({ idempotency, deprecated }: DescMethod): readonly string[] {
  const level = MethodOptions_IdempotencyLevel[idempotency];
  const isUnknown = idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  return [
    ...(deprecated ? ["deprecated = true"] : []),
    ...(isUnknown ? [] : [`idempotency_level = ${level}`]),
  ];
}

function messageText(
  { name, members, nestedMessages, nestedEnums }: DescMessage,
  indent: string,
): string {
  const deeper = `${indent}  `;
  const lines = members.flatMap((member) =>
    member.kind === "oneof"
      ? [
          `${deeper}oneof ${member.name} {`,
          ...member.fields.map((field) => `${deeper}  ${fieldText(field)}`),
          `${deeper}}`,
        ]
      : [`${deeper}${fieldText(member)}`],
  );
  const nested = [
    ...nestedMessages
      .filter(({ proto }) => proto.options?.mapEntry !== true)
      .map((message) => messageText(message, deeper)),
    ...nestedEnums.map((each) => enumText(each, deeper)),
  ];
  return block(`${indent}message ${name}`, indent, [...lines, ...nested]);
}

function enumText({ name, values }: DescEnum, indent: string): string {
  const lines = values.map((value) => `${indent}  ${value.name} = ${value.number};`);
  return block(`${indent}enum ${name}`, indent, lines);
}

function fieldText(field: DescField): string {
  return `${label(field)}${typeText(field)} ${field.name} = ${field.number};`;
}

function label({ fieldKind, proto }: DescField): string {
  if (fieldKind === "list") return "repeated ";
  return fieldKind !== "map" && proto.proto3Optional ? "optional " : "";
}

function typeText(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return scalarText(field.scalar);
    case "message":
      return `.${field.message.typeName}`;
    case "enum":
      return `.${field.enum.typeName}`;
    case "list":
      return elementText(field.listKind, field);
    case "map":
      return `map<${scalarText(field.mapKey)}, ${elementText(field.mapKind, field)}>`;
  }
}

function elementText(
  kind: "scalar" | "message" | "enum",
  field: {
    readonly scalar: ScalarType | undefined;
    readonly message: DescMessage | undefined;
    readonly enum: DescEnum | undefined;
  },
): string {
  const type = kind === "message" ? field.message : field.enum;
  return kind === "scalar" && field.scalar !== undefined
    ? scalarText(field.scalar)
    : `.${type?.typeName ?? ""}`;
}

function scalarText(scalar: ScalarType): string {
  return ScalarType[scalar].toLowerCase();
}

function block(head: string, indent: string, lines: readonly string[]): string {
  return lines.length === 0
    ? `${head} {\n${indent}}`
    : `${head} {\n${lines.join("\n")}\n${indent}}`;
}
