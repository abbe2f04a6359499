/** One worker thread of a simulation: does tasks as they come. */
import { parentPort } from "node:worker_threads";
import { assert } from "../core/errors.ts";
import { simulated } from "./subject.ts";
import { doTask, type Task } from "./tasks.ts";

assert(parentPort !== null, "a task worker runs in a worker thread");
const port = parentPort;
port.on("message", (task: Task) => {
  void doTask(simulated, task).then((result) => port.postMessage(result));
});
