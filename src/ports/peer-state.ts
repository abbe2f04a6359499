/** Purpose: small facts about those this engine replicates with, under keys such as `peer:<name>:cursor`. */
export interface PeerState {
  get(key: string): string | null;
  set(key: string, value: string): void;
  /** Deleting what is not there is fine. */
  delete(key: string): void;
  /** Key and value of all that begin with `prefix`, by key. */
  withPrefix(prefix: string): readonly (readonly [key: string, value: string])[];
}
