/** Markup that is safe to put into a page: made by `html` alone. */
export interface Html {
  readonly markup: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes every value that is not markup already; lists are joined. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const texts = values.map((value) => {
    if (typeof value === "string" || typeof value === "number") return escape(String(value));
    return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
  });
  return { markup: parts.reduce((all, part, index) => all + texts[index - 1] + part) };
}

/** Text of our own that is markup: a style sheet. */
export function trusted(markup: string): Html {
  return { markup };
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}
