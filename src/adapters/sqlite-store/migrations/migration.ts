/** Purpose: one step of the schema, never changed once it was released. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}
