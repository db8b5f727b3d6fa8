import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("metrics", {
  "metrics-of-500-mb": [],
  "metrics-without-end": [],
  "metrics-of-one-line": [],
  "metrics-of-a-million": [],
  "metrics-of-100000-methods": [],
  "metrics-of-100000-buckets": [],
  "metrics-of-new-names": [],
  "metrics-gzip-bomb": [],
  "metrics-mute": [],
  "metrics-byte-by-byte": [],
  "metrics-header-flood": [],
  "metrics-redirect": [],
  "metrics-that-flip": [],
  "metrics-of-html": [],
  "metrics-of-bytes": [],
  "metrics-of-another-type": [],
  "metrics-out-of-range": [],
  "metrics-that-fall": [],
});
