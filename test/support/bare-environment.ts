/** The environment of a program that shall find nothing of this test's own in it. */
const { PATH = "", NODE_COMPILE_CACHE = "" } = process.env;

/** Where programs and compiled files lie. */
export const BARE = { PATH, NODE_COMPILE_CACHE };
