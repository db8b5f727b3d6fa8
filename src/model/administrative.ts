const ADMINISTRATIVE = /^grpc\.(?:health|channelz|reflection|admin)\./;

/** Whether a service, or a method of one, is served for agents like us: its calls are nobody's work. */
export function isAdministrative(name: string): boolean {
  return ADMINISTRATIVE.test(name);
}
