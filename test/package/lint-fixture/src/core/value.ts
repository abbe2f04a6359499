export const value = 1;
export type Value = typeof value;
