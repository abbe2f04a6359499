/**
 * Says whether this Node can run the program, and what to do where it cannot.
 * Imports nothing, so that it runs on every Node.
 */

const NEEDED = { major: 22, minor: 12 };

/**
 * What to tell the user of a Node that is too old; null when it will do.
 *
 * @param version as `process.versions.node` says it
 * @param ownNode path of a newer Node beside the package, where there is one
 */
export function nodeAdvice(version: string, ownNode: string | null): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor)) return null;
  const needed = `needs Node.js ${NEEDED.major}.${NEEDED.minor} or newer, and this is ${version}`;
  const mend =
    ownNode === null
      ? "install a newer one from https://nodejs.org/"
      : `this project brings one: run it as "npx changeover …", "npm run changeover -- …" or with ${ownNode}`;
  return `${needed}; ${mend}`;
}
