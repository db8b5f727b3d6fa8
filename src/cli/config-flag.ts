import type { Flag } from "./flag.ts";

/** Where deploy/example mounts the agent's configuration. */
export const POD_CONFIG = "/etc/grpc-doctor/config.yaml";

export const CONFIG_FLAG: Flag = {
  name: "config",
  letter: "c",
  value: "FILE",
  says: "the configuration file",
};
