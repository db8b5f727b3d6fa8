import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("floods", {
  "flood-settings": [],
  "flood-settings-that-change": [],
  "flood-ping": [],
  "flood-goaway": [],
  "flood-informational-headers": [],
  "flood-fields-in-continuation": [],
  "flood-empty-continuation": [],
  "flood-empty-data": [],
  "flood-data-byte-by-byte": [],
});
