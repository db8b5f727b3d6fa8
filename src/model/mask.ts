import { cutText } from "./cut-text.ts";

/** The longest text of a server that we keep; characters. */
const MASKED_LENGTH = 200;

/** Bounds the work on a hostile text. */
const READ_LENGTH = 2000;

const LINE_BREAK = /[\n\v\f\r\u0085\u2028\u2029]/;
/** Control and formatting characters, and halves of others: they turn lines around or hide text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

/** In this order: what an earlier rule has masked no later one sees. */
const MASKS: readonly (readonly [pattern: RegExp, mask: string])[] = [
  // User and password of a URL; a password may hold an @ that nobody escaped.
  [/(?<=:\/\/)(?!<token>@)[^\s/]+@/g, "<token>@"],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, "<uuid>"],
  [/[^\s<>@:=,;"'()]+@[\w-]+(?:\.[\w-]+)+/g, "<address>"],
  [/(?<![\w.])(?:\[?::ffff:)?\d{1,3}(?:\.\d{1,3}){3}\]?(?::\d{1,5})?(?!\w)/gi, "<address>"],
  // IPv6 has `::`, or seven colons; a time of day has neither.
  [
    /(?<![\w:])(?:\[(?=[^\]\s]*::|(?:[^\]\s:]*:){7})[0-9a-f:.]+(?:%\w+)?\](?::\d{1,5})?|(?=[0-9a-f:]*::|(?:[0-9a-f]{1,4}:){7})[0-9a-f:]*:[0-9a-f:]+(?:%\w+)?(?![\w:]))/gi,
    "<address>",
  ],
  // `Bearer …`, `Basic …`: a word in lower case is English, not a credential.
  [/\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s+(?=[^\s]*[\dA-Z=._])[^\s,;"')]{6,}/g, "$1 <token>"],
  [
    /\b(authorization|password|passwd|secret|token|api[-_]?key|cookie)(\s?=\s?["']?|["']\s?[:=]\s?["'])[^\s,;&"')]+/gi,
    "$1$2<token>",
  ],
  // After a mere colon a word of letters is English: `invalid token: expired`.
  [
    /\b(authorization|password|passwd|secret|token|api[-_]?key|cookie):(\s?)(?=[^\s,;&"')]*[\d=_+/])[^\s,;&"')]+/gi,
    "$1:$2<token>",
  ],
  [/\beyJ[\w-]+(?:\.[\w-]*){0,2}/g, "<token>"],
  // Long runs of letters and digits mixed, and very long runs of anything a token is made of.
  [/(?<![\w+/=-])(?=[a-z_+/=-]*\d)(?=[\d_+/=-]*[a-z])[\w+/=-]{20,}/gi, "<token>"],
  [/(?<![\w+/=-])[\w+/=-]{40,}/g, "<token>"],
];

/** Each pass but the last has masked something, so this ends sooner; it bounds what is hostile. */
const MOST_PASSES = 10;

/**
 * A text that came from a server, safe to show: its first line, at most 200 characters, without control
 * characters; what looks like a token, an address or a UUID is masked.
 *
 * Masks come before the cut, so that no cut leaves half a token that no rule knows any more, and before
 * and after control characters go: these part words, and hide in them. Names of hosts and methods stay:
 * they are what makes a text worth showing. A text that was masked stays as it is when it is masked again.
 *
 * `shown` is what we showed to that server (`secretsOf`): a password looks like any word, and a server
 * that says `invalid token: WORD` says it to everybody who reads the log.
 */
export function maskText(text: string, shown: readonly string[] = []): string {
  const start = withoutEchoes(cutText(text, 2 * READ_LENGTH), shown).trimStart();
  const [line = ""] = start.split(LINE_BREAK, 1);
  const read = line.length <= READ_LENGTH ? line : line.slice(0, READ_LENGTH).replace(/\S*$/, "");
  let masked = mask(read.replaceAll("\t", " ")).replace(INVISIBLE, "");
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const again = cut(mask(masked));
    if (again === masked) break;
    masked = again;
  }
  return masked;
}

/**
 * Every form in which a server may repeat the metadata that it was shown: the value, without its scheme,
 * and both parts of what `Basic` encodes. Longest first; what is very short is a word of any sentence.
 */
export function secretsOf(metadata: readonly (readonly [string, string])[]): readonly string[] {
  const forms = metadata.flatMap(([, value]) => {
    const [, scheme = "", credential = ""] = /^(\w+) +(.*)$/.exec(value) ?? [];
    const isBasic = scheme.toLowerCase() === "basic";
    const pair = isBasic ? Buffer.from(credential, "base64").toString("utf8") : "";
    return [value, credential, pair, pair.slice(pair.indexOf(":") + 1)];
  });
  const long = forms.filter(({ length }) => length >= SHORTEST_SECRET);
  return [...new Set(long)].toSorted((a, b) => b.length - a.length);
}

const SHORTEST_SECRET = 4;

function withoutEchoes(text: string, shown: readonly string[]): string {
  return shown.reduce((rest, secret) => rest.replaceAll(secret, "<token>"), text);
}

function mask(text: string): string {
  return MASKS.reduce((rest, [pattern, word]) => rest.replace(pattern, word), text);
}

/** A cut through a surrogate pair would leave half a character. */
function cut(text: string): string {
  return text
    .trim()
    .slice(0, MASKED_LENGTH)
    .replace(/[\uD800-\uDBFF]$/, "");
}
