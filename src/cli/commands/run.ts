import { defaultSettings } from "../../config/defaults.ts";
import { ConfigError, faultText } from "../../config/fault.ts";
import type { LogSettings, Settings } from "../../model/settings.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { listenFlag } from "../listen-flag.ts";
import { createSettingsReader } from "../settings-reader.ts";
import { unreadableFiles, withoutFiles } from "../target-files.ts";
import { joinSettings } from "../target-from-flags.ts";
import { withConfiguration } from "../tell-faults.ts";

/**
 * The daemon. On a terminal a bad file exits 3 with nothing started. In a pod it does not: a sidecar
 * that is not running makes its pod NotReady, so the agent says what is wrong and runs on the default
 * configuration until the file is mended.
 */
export function run(call: Call): Promise<number> {
  return withConfiguration(call, async () => {
    const { config } = call.given.texts;
    const [target, ...more] = new Set(call.given.lists["target"]);
    if (config !== undefined && target !== undefined)
      throw new UsageError("either --config or --target, not both");
    const stray = targetFlag(call);
    if (config !== undefined && stray !== undefined)
      throw new UsageError(`--${stray} is for --target; with --config the file says it`);
    if (config !== undefined) await runFile(call, config);
    else if (target !== undefined) await runTargets(call, [target, ...more]);
    else throw new UsageError("--config FILE or --target ADDR is missing");
    return EXIT.fine;
  });
}

/** A flag that says what is expected of `--target`. */
function targetFlag({ given: { texts, switches } }: Call): string | undefined {
  return (
    ["authority", "cacert", "cert", "key"].find((name) => texts[name] !== undefined) ??
    ["tls", "plaintext"].find((name) => switches.has(name))
  );
}

/**
 * Files that flags name are a pod's secrets, which come later or never: without them TLS is still
 * expected, that is told as any bad configuration is, and they are taken when they come.
 */
async function runTargets(
  call: Call,
  [address, ...more]: readonly [string, ...string[]],
): Promise<void> {
  const { given, program, tools } = call;
  const first = await defaults(call, address);
  const further = await Promise.all(more.map((one) => defaults(call, one)));
  const settings = joinSettings(first, further, given);
  const reload = async () => {
    const faults = await unreadableFiles(given);
    if (faults.length > 0) throw new ConfigError(faults);
    return settings;
  };
  const faults = await unreadableFiles(given);
  const [missing] = faults;
  if (missing === undefined) return tools.runAgent(program, { settings });
  if (program.isTerminal.stdout) throw new ConfigError(faults);
  await tools.runAgent(program, {
    settings: joinSettings(first, further, withoutFiles(given)),
    file: missing.file,
    reload,
    rejected: faults.map(faultText),
  });
}

async function runFile(call: Call, file: string): Promise<void> {
  const read = createSettingsReader(call, file);
  const reload = async () => overlay(await read(), call);
  const { program, tools } = call;
  try {
    await tools.runAgent(program, { settings: await reload(), file, reload });
  } catch (thrown) {
    if (!(thrown instanceof ConfigError) || program.isTerminal.stdout) throw thrown;
    const rejected = thrown.faults.map(faultText);
    await tools.runAgent(program, { settings: await defaults(call), file, reload, rejected });
  }
}

async function defaults(call: Call, address?: string): Promise<Settings> {
  const parsed = defaultSettings({
    detectors: await call.tools.detectors(),
    logFormat: call.program.isTerminal.stdout ? "text" : "json",
    environment: call.program.environment,
    ...(address === undefined ? {} : { address }),
  });
  if ("allowed" in parsed) throw new UsageError(`--target takes ${parsed.allowed}, not ${address}`);
  return overlay(parsed.value, call);
}

/** A flag wins over the file. */
function overlay(settings: Settings, call: Call): Settings {
  const { texts } = call.given;
  const level = oneOf(LEVELS, "log-level", texts["log-level"]);
  const format = oneOf(FORMATS, "log-format", texts["log-format"]);
  return {
    ...settings,
    listen: listenFlag("listen", texts["listen"]) ?? settings.listen,
    admin: listenFlag("admin", texts["admin"]) ?? settings.admin,
    log: { level: level ?? settings.log.level, format: format ?? settings.log.format },
  };
}

const LEVELS: readonly LogSettings["level"][] = ["debug", "info", "warn", "error"];
const FORMATS: readonly LogSettings["format"][] = ["json", "text"];

function oneOf<T extends string>(
  words: readonly T[],
  flag: string,
  text: string | undefined,
): T | undefined {
  const found = words.find((word) => word === text);
  if (text !== undefined && found === undefined)
    throw new UsageError(`--${flag} takes ${words.join(", ")}, not ${text}`);
  return found;
}
