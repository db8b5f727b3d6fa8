import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("names", {
  "certificate-of-10000-names": ["tls-untrusted-issuer"],
  "certificate-of-20000-names": ["tls-untrusted-issuer"],
  "chain-of-50": ["tls-untrusted-issuer"],
  "chain-of-one-name": ["tls-untrusted-issuer"],
  "dns-1000-addresses": ["connection-refused"],
  "dns-alias-loop": ["dns-failing"],
  "dns-of-another-question": ["dns-failing"],
  "dns-cut-short": ["dns-failing"],
});
