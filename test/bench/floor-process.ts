/** The least that can be a leader: a listening socket, and a connection to whoever watches. Prints its port. */
import { createServer, type AddressInfo } from "node:net";

const server = createServer((socket) => socket.on("error", () => undefined));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
