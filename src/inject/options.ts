/** Names of annotations on a pod template. */
const PREFIX = "grpc-doctor.io/";

/** What an annotation may say; `undefined` = not that. */
const IS_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

interface Option {
  readonly allowed: string;
  readonly isValid: (text: string) => boolean;
}

const NAME: Option = { allowed: "the name of an object", isValid: (text) => IS_NAME.test(text) };
const SWITCH: Option = {
  allowed: '"true" or "false"',
  isValid: (text) => text === "true" || text === "false",
};

/** Every annotation that the agent's injection reads. */
const OPTIONS = {
  inject: SWITCH,
  port: {
    allowed: "ports from 1 to 65535, with commas between them",
    isValid: (text) => portsFrom(text).every((port) => port >= 1 && port <= 65_535),
  },
  authority: {
    allowed: "a name as clients use it",
    isValid: (text) => /^[A-Za-z0-9]([-A-Za-z0-9._:]{0,251}[A-Za-z0-9])?$/.test(text),
  },
  tls: SWITCH,
  "ca-secret": NAME,
  "client-cert-secret": NAME,
  "config-map": NAME,
  image: {
    allowed: "a reference of an image",
    isValid: (text) => /^[a-z0-9][\w.\-/:@]{0,511}$/i.test(text),
  },
  mode: {
    allowed: "native or classic",
    isValid: (text) => text === "native" || text === "classic",
  },
} satisfies Readonly<Record<string, Option>>;

type OptionName = keyof typeof OPTIONS;

/** What the annotations of one template say; texts are valid. */
export type Options = { readonly [K in OptionName]?: string };

/** A mistake in one annotation. */
export interface OptionFault {
  readonly annotation: string;
  readonly found: string;
  readonly allowed: string;
}

/** Set by the injection itself: this sidecar is ours to change and to take out. */
export const STATUS = `${PREFIX}status`;

/** Reads `grpc-doctor.io/…`; every mistake at once. */
export function optionsFrom(annotations: Readonly<Record<string, string>>): {
  readonly options: Options;
  readonly faults: readonly OptionFault[];
} {
  const options: Partial<Record<OptionName, string>> = {};
  const faults: OptionFault[] = [];
  for (const [annotation, text] of Object.entries(annotations)) {
    if (!annotation.startsWith(PREFIX) || annotation === STATUS) continue;
    const name = annotation.slice(PREFIX.length);
    if (!isOption(name)) {
      faults.push({ annotation, found: "an unknown option", allowed: known() });
    } else if (!OPTIONS[name].isValid(text)) {
      faults.push({ annotation, found: JSON.stringify(text), allowed: OPTIONS[name].allowed });
    } else {
      options[name] = text;
    }
  }
  return { options, faults: [...faults, ...contradictions(options)] };
}

/** `50051,50052` as numbers; NaN for what is none. */
export function portsFrom(text: string): readonly number[] {
  return text.split(",").map((one) => (/^ *\d{1,5} *$/.test(one) ? Number(one) : Number.NaN));
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function known(): string {
  return Object.keys(OPTIONS).join(", ");
}

/** What would make a command line that ends with a usage error: a sidecar that never runs. */
function contradictions(options: Options): readonly OptionFault[] {
  const secrets = (["ca-secret", "client-cert-secret"] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (options["config-map"] !== undefined) {
    const others = (["port", "authority", "tls"] as const).filter(
      (name) => options[name] !== undefined,
    );
    return others.map((name) => ({
      annotation: PREFIX + name,
      found: "an option beside config-map",
      allowed: "it in the file of the ConfigMap",
    }));
  }
  if (options.tls !== "false") return [];
  return secrets.map((name) => ({
    annotation: PREFIX + name,
    found: 'a secret beside tls "false"',
    allowed: "one of the two",
  }));
}
