import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("replies", {
  "four-gibibytes": ["probe-failing"],
  malformed: ["probe-failing"],
  "cut-short": ["probe-failing"],
  "gzip-bomb": ["probe-failing"],
  "deflate-bomb": ["probe-failing"],
  "endless-zeros": ["probe-failing"],
  "many-fields": ["probe-failing"],
  "deep-groups": ["probe-failing"],
});
