/**
 * A device outside the pair that chooses whose output goes to air (router, load balancer, changeover switch).
 * A request carries the epoch of the leader that makes it, so that a device that compares epochs can refuse
 * a late one.
 * [HO7] A request ends with the leadership that made it, and is repeated for as long as that lasts.
 * It does not know when to ask and how often; the caller retries until the device confirms or the role is lost.
 */

/** The wish of a leader: route to the engine of this label. */
export interface RouteRequest {
  engineLabel: "a" | "b";
  /** Epoch of the leader that asks. */
  epoch: number;
}

/** `confirmed`: the device routes so. `refused`: it answered no. `unreachable`: no answer within its time; ask again. */
export type RouteOutcome = "confirmed" | "refused" | "unreachable";

/** Default of `reassertMs`. */
export const REASSERT_MS = 5_000;

/** One such device. Asking twice for the same route is harmless. */
export interface ChangeoverSwitch {
  /** Name from the configuration, for alarms and logs. */
  readonly name: string;
  /** How often a leader asks again although the device has confirmed, ms: a device may forget [HO7]. */
  readonly reassertMs: number;
  /** Asks once, within the device's own budget of time. Never throws. */
  route(request: RouteRequest): Promise<RouteOutcome>;
  /** Ends the request or script under way: the leadership that made it is over [HO7]. */
  withdraw(): void;
  /** Ends requests and processes under way. May be called twice. */
  close(): Promise<void>;
}
