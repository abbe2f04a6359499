/** Purpose: how well the engine's wall clock is disciplined, by whatever disciplines it (PTP, NTP). */
export interface ClockReading {
  /** `free`: nothing disciplines the clock now. */
  readonly mode: "ptp" | "ntp" | "peer" | "free";
  /** Offset to the reference in ns. */
  readonly offsetNs: number;
  readonly jitterNs: number;
}

export interface ClockSource {
  /** True where nothing is expected to discipline the clock, so that `free` is no fault. */
  readonly undisciplined?: boolean;
  /** The newest reading; never blocks. A source that lost its reference says `free`. */
  reading(): ClockReading;
  close(): Promise<void>;
}
