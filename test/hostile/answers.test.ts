import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("replies", {
  html: ["not-grpc", "probe-failing"],
  "html-as-grpc": ["not-grpc", "probe-failing"],
  "endless-statuses": ["health-flapping", "health-not-serving", "probe-failing"],
  "header-of-64-kib": ["not-grpc", "probe-failing"],
  "message-of-64-kib": ["probe-failing"],
  "status-of-no-number": ["not-grpc", "probe-failing"],
  "health-that-flips": ["health-flapping", "health-not-serving"],
});
