/** Tests may use what the world gives. */
export const helper = [Date.now(), Math.random(), setTimeout, performance.now()];
