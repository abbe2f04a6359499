import { open } from "../adapters/open.ts"; // must fail: house/import-direction
import { routes } from "../http/routes.ts"; // must fail: house/import-direction

export const coordinator = [open, routes];
export type Coordinator = typeof coordinator;
