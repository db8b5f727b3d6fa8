import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("vast", {
  "sockets-100000": [],
  "channels-10000": [],
  "traces-of-megabytes": [],
  "lists-that-stand-still": [],
  "names-of-64-kib": [],
  "reflection-without-end": [],
  "services-10000": [],
  "descriptors-of-themselves": [],
  "descriptors-of-others": [],
  "descriptors-of-megabytes": [],
});
