import { holdsOutAgainst } from "./hold-out.ts";

holdsOutAgainst("collectors", { "flood-collector": [] });
