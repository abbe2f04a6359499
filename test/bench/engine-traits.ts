/** What a benchmark wants the engine of `engine-process.ts` to be like. */
export interface EngineTraits {
  /** MiB of memory that it holds and has written to. */
  readonly ballastMiB?: number;
  /** MB of JSON text that its state is long. */
  readonly stateMB?: number;
  /** How long its loop is held up once in a while, ms. */
  readonly stallMs?: number;
}
