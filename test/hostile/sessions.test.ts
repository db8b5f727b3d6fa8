import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("sessions", {
  "goaway-before-settings": ["not-grpc"],
  "goaway-with-settings": [],
  "goaway-at-call": [],
  "goaway-of-stream-0": ["streams-refused"],
  "goaway-in-answer": [],
  "goaway-after-answer": [],
  "settings-of-zero": ["app-frozen", "stream-exhaustion"],
  "settings-of-most": [],
  "settings-out-of-range": [],
  "settings-that-lie": ["not-grpc"],
  "push-promise": [],
  "reset-of-every-call": ["streams-refused"],
  "reset-of-connection": ["not-grpc"],
});
