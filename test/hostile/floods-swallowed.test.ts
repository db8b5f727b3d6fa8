import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("floods", {
  "flood-window-update": [],
  "flood-priority": [],
  "flood-origin": [],
  "flood-altsvc": [],
  "flood-frames-of-no-known-type": [],
  "flood-rst-stream": [],
  "flood-trailing-headers": [],
  "flood-empty-messages": [],
});
