import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A child whose lines can be waited for; it dies with the bench. */
export function start(file, words, env = {}) {
  const child = spawn(file, words, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  running.add(child);
  const ended = new Promise((resolve) =>
    child.once("exit", (code) => {
      running.delete(child);
      resolve(code);
    }),
  );
  const listeners = new Set();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const at = performance.now();
    for (const listener of listeners) listener(line, at);
  });
  return {
    pid: child.pid,
    ended,
    write: (text) => child.stdin.write(text),
    /** Resolves with the first line from now on that fits, and when it came. */
    line: (fits) =>
      new Promise((resolve, reject) => {
        const listener = (line, at) => {
          if (!fits(line)) return;
          listeners.delete(listener);
          resolve({ line, at });
        };
        listeners.add(listener);
        void ended.then((code) => reject(new Error(`${file} ${words[0]} ended with ${code}`)));
      }),
    kill: (signal) => child.kill(signal),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      await ended;
    },
  };
}

/** Runs to the end; the wall time in ms. */
export async function timed(file, words, env) {
  const begin = performance.now();
  const child = start(file, words, env);
  await child.ended;
  return performance.now() - begin;
}

/** Resident, anonymous and peak memory of a process in MiB. Source: proc_pid_status(5). */
export function memory(pid) {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)[1]) / 1024;
  return { rss: mib("VmRSS"), anon: mib("RssAnon"), peak: mib("VmHWM") };
}

/**
 * Processor time of a process in ms, of all its threads. The scheduler counts nanoseconds; what
 * /proc/PID/stat tells is in ticks of 10 ms. Source: Linux Documentation/scheduler/sched-stats.rst.
 */
export function processorMs(pid) {
  const spent = readdirSync(`/proc/${pid}/task`).map((task) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      return 0; // The thread has ended meanwhile.
    }
  });
  return spent.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
}
