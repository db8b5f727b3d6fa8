import { EventEmitter } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import { queryObjects } from "node:v8";

/**
 * Loaded into the agent before its own code (`--import`): at SIGUSR2 it writes what no one outside can
 * count into the file that `GRPC_DOCTOR_SOAK_INSIDE` names. Counting walks the heap after a collection,
 * which stops the agent for a moment: it is asked for a few times in a run. Nothing of it stays active.
 */
const file = process.env.GRPC_DOCTOR_SOAK_INSIDE;
const Timeout = clearedTimer().constructor;
const warnings = [];

// Node warns when an emitter or a signal has more listeners than anybody means to have.
process.on("warning", ({ name, message }) => {
  if (name === "MaxListenersExceededWarning") warnings.push(message);
});
process.on("SIGUSR2", () => {
  const count = (type) => queryObjects(type, { format: "count" });
  const objects = {
    timers: count(Timeout),
    signals: count(AbortSignal),
    emitters: count(EventEmitter),
    promises: count(Promise),
    maps: count(Map),
  };
  const resources = process.getActiveResourcesInfo().length;
  writeFileSync(`${file}.new`, JSON.stringify({ ...objects, resources, warnings }));
  renameSync(`${file}.new`, file);
});

function clearedTimer() {
  const timer = setTimeout(() => undefined, 0);
  clearTimeout(timer);
  return timer;
}
