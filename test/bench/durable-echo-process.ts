/** A bare ws socket that stores each message durably in SQLite and then sends it back. `node … FILE` prints its port. */
import Database from "better-sqlite3";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { bareTable } from "./bare-table.ts";

const insert = bareTable(new Database(process.argv[2]));
const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
sockets.on("connection", (ws) =>
  ws.on("message", (data: Buffer) => {
    insert([data.toString()]);
    ws.send(data.toString());
  }),
);
sockets.on("listening", () => console.log((sockets.address() as AddressInfo).port));
