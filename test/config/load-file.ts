import { ConfigError, faultText } from "../../src/config/fault.ts";
import { type LoadOptions, loadSettings } from "../../src/config/load.ts";
import { RECORDS } from "./records.ts";

/** Surroundings in which every file exists but those whose name says `missing`. */
export function loadOptions(text: string, change: Partial<LoadOptions> = {}): LoadOptions {
  return {
    text,
    file: "grpc-doctor.yaml",
    environment: { TENANT: "blue", RATIO: "0.5", EMPTY: "", TOKEN: "s3cret" },
    fileExists: (path) => !path.includes("missing"),
    readFile: () => '{ "id": "from-file" }',
    detectors: RECORDS,
    ...change,
  };
}

/** The faults of a text as they are printed, one a line; "" when there are none. */
export function faultsOf(text: string, change: Partial<LoadOptions> = {}): string {
  try {
    loadSettings(loadOptions(text, change));
    return "";
  } catch (thrown) {
    return thrown instanceof ConfigError ? thrown.faults.map(faultText).join("\n") : String(thrown);
  }
}
