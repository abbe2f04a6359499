export const turn = setImmediate;
export const now = Date.now(); // must fail: no-restricted-globals
export const timer = setTimeout; // must fail: no-restricted-globals
