import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("silence", {
  "mute-after-tcp": ["app-frozen", "not-grpc"],
  "mute-in-tls": ["app-frozen", "not-grpc"],
  "mute-after-tls": ["app-frozen", "not-grpc"],
  "mute-in-settings": ["app-frozen", "not-grpc"],
  "mute-after-settings": ["app-frozen", "not-grpc"],
  "mute-after-headers": ["app-frozen", "not-grpc"],
  "mute-after-message": ["app-frozen", "not-grpc"],
  "mute-in-message": ["app-frozen", "not-grpc"],
  "slow-settings": ["app-frozen", "not-grpc"],
  "slow-tls": ["app-frozen", "not-grpc"],
  "slow-answer": ["app-frozen", "not-grpc"],
  "slow-html": ["app-frozen", "not-grpc"],
});
