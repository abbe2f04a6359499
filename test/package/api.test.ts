/** Keeps true: nobody changes the public interface without seeing it. To accept a change: `npm run api:update`. */
import { expect, test } from "vitest";
import { readApiSurface } from "./api-surface.ts";

const SURFACE_TIMEOUT_MS = 300_000;

test(
  "the public interface is the one in api.snapshot.txt, and no machine library leaks into it",
  { timeout: SURFACE_TIMEOUT_MS },
  async () => {
    const { text, packages } = readApiSurface();
    await expect(text).toMatchFileSnapshot("./api.snapshot.txt");
    expect(packages).not.toContain("xstate");
  },
);
