/** Which addresses only this host can reach, and which two lead to the same one. */

/** Whether `host`, a name or an address as it is configured or stands in a URL, is reachable from this host alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether two names or addresses are the same, or both this host. */
export function sameHost(one: string, other: string): boolean {
  return one === other || (isLoopback(one) && isLoopback(other));
}
