import { nearest } from "../model/nearest.ts";
import type { UnknownMethod } from "./method-resolver.ts";

/** A list that is longer helps nobody. */
const MOST_NAMED = 8;

/**
 * The one that was probably meant, as `package.Service/Method`: a service by its full name or by its
 * last part, a method within its service. `undefined` where none is near.
 */
function nearestMethod(asked: string, { unknown, known }: UnknownMethod): string | undefined {
  const [service = "", method = ""] = asked.replace(/^\//, "").split("/");
  if (unknown === "method") {
    const short = nearest(method, known.map(lastPart));
    return known.find((name) => lastPart(name) === short);
  }
  const sameEnd = known.find((name) => lastPart(name) === lastPart(service));
  const meant = sameEnd ?? nearest(service, known);
  return meant === undefined ? undefined : `${meant}/${method}`;
}

/** Why there is no such method, and what to write in its place, in a sentence each. */
export function unknownMethodText(
  asked: string,
  unknown: UnknownMethod,
  protoset: string | undefined,
): { readonly reason: string; readonly fix: string } {
  const [service = "", method = ""] = asked.replace(/^\//, "").split("/");
  const source = protoset === undefined ? "the server's reflection" : `the descriptor set`;
  const reason =
    unknown.unknown === "service"
      ? `${source} names no service ${service}`
      : `${service} has no method ${method}`;
  return { reason, fix: fixOf(asked, unknown, protoset) };
}

function fixOf(asked: string, unknown: UnknownMethod, protoset: string | undefined): string {
  const meant = nearestMethod(asked, unknown);
  if (meant !== undefined) return `Did you mean ${meant}?`;
  const { known } = unknown;
  const more = known.length > MOST_NAMED ? ", …" : "";
  const named =
    known.length === 0 ? "" : `It names ${known.slice(0, MOST_NAMED).join(", ")}${more}. `;
  return protoset === undefined
    ? `${named}A \`protoset\` describes what reflection does not.`
    : `${named}Build ${protoset} anew.`;
}

function lastPart(name: string): string {
  return name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf("/")) + 1);
}
