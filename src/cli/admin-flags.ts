import type { Flag } from "./flag.ts";

/** How to reach a running agent: `status`, `drain` and `drill` share them. */
export const ADMIN_FLAGS: readonly Flag[] = [
  { name: "admin", value: "ADDR", says: "the agent's admin listener", default: "127.0.0.1:19465" },
  { name: "token-file", value: "FILE", says: "a file with the admin listener's bearer token" },
];
