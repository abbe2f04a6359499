/** H1: which integers of a JSON text would be stored as another number, and where they are. */
import { expect, test } from "vitest";
import { findInexactNumber } from "../../src/json/exact-numbers.ts";

test.each([
  ["9007199254740993", ""],
  ["-9007199254740993", ""],
  ["9007199254740993.0", ""],
  ["900719925474099300e-2", ""],
  ["9007199254740.993E3", ""],
  ["1e400", ""],
  ["1e23", ""],
  ["123456789012345678901234567890", ""],
  ["1e999999999999", ""],
  [`1${"0".repeat(400)}`, ""],
  ['{"source":"cam2","id":9007199254740993}', "/id"],
  ['{"a":[0,{"b":[1,9007199254740993]}]}', "/a/1/b/1"],
  ['[[],{},"9007199254740993",9007199254740995]', "/3"],
  ['{"9007199254740993":1,"x":{"y":1},"z":9007199254740993}', "/z"],
  ['{"a\\"b/c~d":9007199254740993}', '/a"b~1c~0d'],
  ['{"t":"\\\\","n": 9007199254740993 }', "/n"],
])("H1 %s changes at %j", (text, path) => {
  expect(findInexactNumber(text)?.path).toBe(path);
});

test.each([
  "9007199254740991",
  "9007199254740992",
  "-9007199254740992",
  "9007199254740994",
  "1e21",
  "1e22",
  "0e400",
  "0.1234567890123456789",
  "9007199254740993.5",
  "1e-400",
  "12345678901234567e-5",
  '"9007199254740993"',
  '{"9007199254740993":"1e400"}',
  "[1,2,",
  "[9007199254740993",
  "not 9007199254740993",
  "",
])("H1 %s stays as it is, or is no JSON", (text) => {
  expect(findInexactNumber(text)).toBeNull();
});

test("H1 what is not refused is the same number after it was read and written", () => {
  for (let exponent = 0; exponent < 30; exponent += 1) {
    for (const mantissa of ["1", "9", "123", "4503599627370497"]) {
      const text = `${mantissa}e${exponent}`;
      const exact = BigInt(mantissa) * 10n ** BigInt(exponent) === BigInt(Number(text));
      expect([text, findInexactNumber(text) === null]).toEqual([text, exact]);
    }
  }
});
