/** A method as reflection describes it. */
export interface MethodShape {
  /** `package.Service/Method`. */
  readonly name: string;
  readonly kind: "unary" | "server-streaming" | "client-streaming" | "bidi";
}

/** What the server says that it serves. Absent = that side cannot be asked. */
export interface Services {
  /** Names that health lists. */
  readonly health?: readonly string[];
  /** Methods by reflection, without the administrative services; at most 500. */
  readonly methods?: readonly MethodShape[];
}
