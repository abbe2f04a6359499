/** Bare Fastify routes with the schemas of `/api/peer/health` and `/leader`. Prints its address. */
import Fastify from "fastify";
import { LeaderProbeSchema } from "../../src/http/schemas/operate.ts";
import { PeerHealthSchema } from "../../src/http/schemas/pair.ts";

const HEALTH = {
  status: "ok",
  uptimeMs: 12_345.678,
  programSource: "camera-1",
  lastCommandSeq: 1_234,
  engineLabel: "a",
  epoch: 1,
  role: "leader",
};

const app = Fastify();
app.get("/api/peer/health", { schema: { response: { 200: PeerHealthSchema } } }, (_request, reply) => {
  reply.send(HEALTH);
});
app.get("/leader", { schema: { response: { 200: LeaderProbeSchema } } }, (_request, reply) => {
  reply.send({ role: "leader", epoch: 1 });
});
console.log(await app.listen({ port: 0, host: "127.0.0.1" }));
