/** A text with its variables put in, or what is wrong with it. */
export type Expansion =
  | { readonly text: string; readonly hasVariable: boolean }
  | { readonly found: string; readonly allowed: string };

/** Process variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Puts in `${VAR}` and `${VAR:-default}`; `$${` stands for a literal `${`. As in a shell, the default
 * serves an empty variable too. Nothing is expanded twice, so a value cannot smuggle in another.
 */
export function expandVariables(text: string, environment: Environment): Expansion {
  if (!text.includes("${")) return { text, hasVariable: false };
  let fault: { found: string; allowed: string } | undefined;
  let hasVariable = false;
  const expanded = text.replace(
    /\$\$\{|\$\{([^}]*)(\}?)/g,
    (whole, inner?: string, end?: string) => {
      if (inner === undefined) return "${";
      hasVariable = true;
      const { value, ...wrong } = lookUp(inner, end === "}", environment);
      if (value === undefined)
        fault ??= { found: shownReference(whole), allowed: wrong.allowed ?? "" };
      return value ?? "";
    },
  );
  return fault ?? { text: expanded, hasVariable };
}

function lookUp(
  inner: string,
  isClosed: boolean,
  environment: Environment,
): { value?: string; allowed?: string } {
  const form = "${VARIABLE} or ${VARIABLE:-default}; $${ for a literal ${";
  const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner) ?? [];
  if (!isClosed || name === undefined) return { allowed: form };
  const set = environment[name];
  if (set !== undefined && (set !== "" || fallback === undefined)) return { value: set };
  if (fallback !== undefined) return { value: fallback };
  return { allowed: `a variable that is set, or a default: \${${name}:-default}` };
}

/** Its name alone: what follows may be a default, and a secret. */
function shownReference(written: string): string {
  const [start = ""] = /^\$\{\w{0,60}/.exec(written) ?? [];
  const rest = written.slice(start.length);
  return rest === "" || rest === "}" ? written : `${start}\u2026`;
}
