/** RFC 3339 text and unix ms, there and back. */
import { expect, test } from "vitest";
import { isoTime, parseIsoTime } from "../../src/core/iso-time.ts";

test.each([0, 951_782_400_000, 1_795_975_200_250, 4_107_542_399_999, 253_402_300_799_999])(
  "%d there and back",
  (ms) => {
    expect(parseIsoTime(isoTime(ms))).toBe(ms);
    expect(isoTime(ms)).toBe(new Date(ms).toISOString());
  },
);

test.each([
  ["2026-11-29T19:00:00+01:00", "2026-11-29T18:00:00Z"],
  ["2026-11-29t23:30z", "2026-11-29T23:30:00Z"],
  ["2026-01-01 00:15:00.5-00:30", "2026-01-01T00:45:00.500Z"],
  ["2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"],
])("%s is %s", (text, same) => {
  expect(parseIsoTime(text)).toBe(Date.parse(same));
});

test.each([
  "2026-11-29T18:00:00",
  "18:00Z",
  "2026-02-30T18:00:00Z",
  "2026-13-01T18:00:00Z",
  "2026-00-10T18:00:00Z",
  "2026-11-29T24:00:00Z",
  "2026-11-29T18:60:00Z",
  "2026-11-29T18:00:00+25:00",
  "",
])("%j is no instant", (text) => {
  expect(parseIsoTime(text)).toBeNull();
});
