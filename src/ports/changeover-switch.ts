/**
 * Purpose: a device outside the pair that chooses whose output goes to air (router, load balancer, changeover switch).
 * Keeps true: a request carries the epoch of the leader that makes it, so that a device that compares epochs can refuse
 * a late one.
 * Does not know: when to ask and how often; the caller retries until the device confirms or the role is lost.
 */

/** The wish of a leader: route to the engine of this label. */
export interface RouteRequest {
  engineLabel: "a" | "b";
  /** Epoch of the leader that asks. */
  epoch: number;
}

/** `confirmed`: the device routes so. `refused`: it answered no. `unreachable`: no answer within its time; ask again. */
export type RouteOutcome = "confirmed" | "refused" | "unreachable";

/** One such device. Asking twice for the same route is harmless. */
export interface ChangeoverSwitch {
  /** Name from the configuration, for alarms and logs. */
  readonly name: string;
  /** Asks once, within the device's own budget of time. Never throws. */
  route(request: RouteRequest): Promise<RouteOutcome>;
  /** Ends requests and processes under way. May be called twice. */
  close(): Promise<void>;
}
