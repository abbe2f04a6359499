export const unknown = "room"; // must fail: house/import-direction
