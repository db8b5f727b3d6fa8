/** Names of annotations on a pod template. */
export const PREFIX = "grpc-doctor.io/";

interface Option {
  readonly allowed: string;
  /** Of the whole text; the admission policy's RE2 reads it as JavaScript does. */
  readonly pattern: string;
}

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const NAME: Option = {
  allowed: "the name of an object",
  pattern: `^${LABEL}([.]${LABEL})*$`,
};
const SWITCH: Option = { allowed: '"true" or "false"', pattern: "^(true|false)$" };

/** 1 to 65535. */
const PORT =
  " *([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]) *";

/** As a container runtime reads it (distribution/reference): one that it refuses would never start. */
const REGISTRY = "[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?";
const REPOSITORY = "[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*";
const TAG = ":[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}";
const DIGEST = "@sha256:[a-f0-9]{64}";

/** Every annotation that the agent's injection reads. */
export const OPTIONS = {
  inject: SWITCH,
  port: {
    allowed: "ports from 1 to 65535, with commas between them",
    pattern: `^${PORT}(,${PORT})*$`,
  },
  authority: {
    allowed: "a name as clients use it",
    pattern: "^[A-Za-z0-9]([-A-Za-z0-9._:]{0,251}[A-Za-z0-9])?$",
  },
  tls: SWITCH,
  "ca-secret": NAME,
  "client-cert-secret": NAME,
  "config-map": NAME,
  image: {
    allowed: "a reference of an image",
    pattern: `^(${REGISTRY}/)?${REPOSITORY}(/${REPOSITORY})*(${TAG})?(${DIGEST})?$`,
  },
  mode: { allowed: "native or classic", pattern: "^(native|classic)$" },
} satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof OPTIONS;

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
    } else if (!new RegExp(OPTIONS[name].pattern).test(text)) {
      faults.push({ annotation, found: JSON.stringify(text), allowed: OPTIONS[name].allowed });
    } else {
      options[name] = text;
    }
  }
  return { options, faults: [...faults, ...contradictions(options)] };
}

/** `50051, 50052`, which is valid, as numbers. */
export function portsFrom(text: string): readonly number[] {
  return text.split(",").map(Number);
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

export function known(): string {
  return Object.keys(OPTIONS).join(", ");
}

/**
 * What would make a command line that ends with a usage error: a sidecar that never runs. The option
 * is at fault where the other one is there and, if that matters, says this.
 */
export const CONTRADICTIONS: readonly {
  readonly option: OptionName;
  readonly beside: OptionName;
  readonly saying?: string;
  readonly found: string;
  readonly allowed: string;
}[] = [
  ...(["port", "authority", "tls"] as const).map((option) => ({
    option,
    beside: "config-map" as const,
    found: "an option beside config-map",
    allowed: "it in the file of the ConfigMap",
  })),
  ...(["ca-secret", "client-cert-secret"] as const).map((option) => ({
    option,
    beside: "tls" as const,
    saying: "false",
    found: 'a secret beside tls "false"',
    allowed: "one of the two",
  })),
];

function contradictions(options: Options): readonly OptionFault[] {
  return CONTRADICTIONS.filter(
    ({ option, beside, saying }) =>
      options[option] !== undefined &&
      options[beside] !== undefined &&
      (saying === undefined || options[beside] === saying),
  ).map(({ option, found, allowed }) => ({ annotation: PREFIX + option, found, allowed }));
}
