/** The rules of the house, as far as a machine can check them. `test/package/lint-rules.test.ts` proves each of them. */
import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import { importDirection } from "./.ci/import-direction.js";

const PORT = "comes in by a port (src/ports), so that the simulator can stand in for it";

const DEFAULT_EXPORT = {
  selector: "ExportDefaultDeclaration",
  message: "Named exports only: a thing has one name everywhere.",
};
const BARREL = {
  selector: "ExportAllDeclaration",
  message: "No barrels: import from the file where a thing is at home.",
};

const TIMERS = ["setTimeout", "setInterval"];
const GLOBALS = ["Date", "performance", "crypto", ...TIMERS];

const restrictedGlobals = (...more) => [...GLOBALS, ...more].map((name) => ({ name, message: `${name} ${PORT}.` }));

const restrictedProperties = [
  { object: "Math", property: "random" },
  { object: "process", property: "hrtime" },
  ...[...GLOBALS, "setImmediate"].map((property) => ({ object: "globalThis", property })),
].map((banned) => ({ ...banned, message: `${banned.object}.${banned.property} ${PORT}.` }));

const restrictedImports = {
  paths: [
    { name: "nanoid" },
    ...["timers", "timers/promises", "perf_hooks"].flatMap((name) => [{ name }, { name: `node:${name}` }]),
    ...["crypto", "node:crypto"].map((name) => ({
      name,
      importNames: ["randomBytes", "randomInt", "randomUUID", "randomFillSync", "webcrypto"],
    })),
    ...["process", "node:process"].map((name) => ({ name, importNames: ["hrtime"] })),
  ].map((banned) => ({ ...banned, message: `Time, randomness and ids: this ${PORT}.` })),
};

export default defineConfig(
  globalIgnores(["dist/", "var/", "coverage/", "test-results/", "test/package/lint-fixture/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  eslint.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // An async method without await still turns a throw into a rejection, which is what a port promises.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    files: ["**/*.js", ".ci/**/*.js"],
    languageOptions: { globals: { process: "readonly", URL: "readonly" } },
  },
  {
    // Small programs that a user starts as they are.
    files: ["examples/**/*.js"],
    languageOptions: {
      globals: {
        AbortSignal: "readonly",
        clearTimeout: "readonly",
        console: "readonly",
        fetch: "readonly",
        setTimeout: "readonly",
      },
    },
  },
  {
    rules: {
      eqeqeq: "error",
      "max-lines-per-function": ["error", { max: 120, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": ["error", DEFAULT_EXPORT, BARREL],
    },
  },
  {
    // Tools find their settings by default export.
    files: ["*.config.js", "*.config.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    files: ["src/**/*.ts", "src/**/*.tsx", "machines/**/*.ts"],
    plugins: { house: { rules: { "import-direction": importDirection } } },
    rules: {
      "house/import-direction": "error",
      "no-restricted-globals": ["error", ...restrictedGlobals("setImmediate")],
      "no-restricted-properties": ["error", ...restrictedProperties],
      "no-restricted-imports": ["error", restrictedImports],
    },
  },
  {
    // The virtual world yields to the real loop now and then; it still has no clock but its own.
    files: ["src/simulation/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...restrictedGlobals()],
    },
  },
  {
    // These touch the world: adapters are what the ports stand for, the rest is run by a person or a browser.
    files: ["src/adapters/**/*.ts", "src/cli/**/*.ts", "src/testing/**/*.ts", "src/visualiser/page/**/*.{ts,tsx}"],
    rules: {
      "no-restricted-globals": "off",
      "no-restricted-properties": "off",
      "no-restricted-imports": "off",
    },
  },
  {
    files: ["src/**/*.ts", "machines/**/*.ts"],
    ignores: ["src/cli/**", "src/simulation/main.ts"],
    rules: { "no-console": "error" },
  },
);
