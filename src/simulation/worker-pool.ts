/**
 * Purpose: shares tasks out over worker threads and hands their results back in the order of the tasks.
 * Keeps true: what comes out does not depend on how many workers there are.
 */
import { Worker } from "node:worker_threads";
import type { Task, TaskResult } from "./tasks.ts";

/** The worker beside this file, in source and in build. */
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./task-worker.ts" : "./task-worker.js", import.meta.url);

/** Does every task that `next` gives until it gives none; `done` gets the results, in the order of the tasks. */
export async function shareOut(
  workers: number,
  next: () => Task | null,
  done: (result: TaskResult) => void,
): Promise<void> {
  const finished = new Map<number, TaskResult>();
  let given = 0;
  let handedBack = 0;
  const handBack = (): void => {
    for (let result = finished.get(handedBack); result !== undefined; result = finished.get(handedBack)) {
      finished.delete(handedBack);
      handedBack += 1;
      done(result);
    }
  };
  const serve = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      let number = -1;
      const give = (): void => {
        const task = next();
        if (task === null) return void worker.terminate().then(() => resolve(), reject);
        number = given;
        given += 1;
        worker.postMessage(task);
      };
      worker.on("message", (result: TaskResult) => {
        finished.set(number, result);
        handBack();
        give();
      });
      worker.on("error", reject);
      give();
    });
  await Promise.all(Array.from({ length: workers }, () => serve(new Worker(WORKER))));
}
