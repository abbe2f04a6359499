/**
 * The places of the demonstration of several sites, all looked at alike: engines over HTTP, spokes in their own
 * folders.
 * Judged by what a place says of itself to anyone who asks.
 */
import type { Json } from "../../../core/canonical-json.ts";
import type { Logger } from "../../../ports/basics.ts";
import type { RecordPage, RecordView } from "../../../replication/records.ts";
import { openSpoke, type Spoke } from "../../../host/spoke.ts";
import { Client } from "../../client.ts";
import { CliError, EXIT } from "../../exit.ts";
import type { ShownOp } from "../../commands/op-lines.ts";
import { LinkProxy } from "../link-proxy.ts";

/** One place that keeps the records. */
export interface Place {
  readonly name: string;
  /** Every field that holds a value, by entity and field. */
  records(): Promise<readonly RecordView[]>;
  /** Identities of the operations that it holds, as often as it holds them. */
  operations(): Promise<readonly string[]>;
}

/** More than the demonstration makes. */
const ALL = 1_000;

/** An engine, asked over HTTP. */
export class EnginePlace implements Place {
  readonly name: string;
  readonly client: Client;

  constructor(name: string, url: string) {
    this.name = name;
    this.client = new Client({ url, token: null });
  }

  async records(): Promise<readonly RecordView[]> {
    return (await this.client.get<RecordPage>(`/api/records?limit=${ALL}`, ["records"])).records;
  }

  async operations(): Promise<readonly string[]> {
    const { ops } = await this.client.get<{ readonly ops: readonly ShownOp[] }>(`/api/ops?limit=${ALL}`, ["ops"]);
    return ops.map(({ op }) => `${op.origin}/${op.originSeq}`);
  }

  async write(entity: string, field: string, value: Json): Promise<void> {
    const { status } = await this.client.call(`/api/records/${entity}/${field}`, { method: "PUT", body: { value } });
    if (status !== 200) throw new CliError(EXIT.failed, `${this.name} refused ${entity}/${field}: ${status}`);
  }
}

const silent = (): void => undefined;
/** How an exchange went is told by its result. */
const QUIET: Logger = { debug: silent, info: silent, warn: silent, error: silent };
/** It exchanges when the script says so. */
const NEVER_BY_ITSELF_MS = 3_600_000;

/** A spoke with a folder of its own, behind a cable that can be pulled. */
export class SpokePlace implements Place {
  readonly name: string;
  readonly #cable: LinkProxy;
  readonly #spoke: Spoke;
  #plugged = true;

  private constructor(name: string, cable: LinkProxy, spoke: Spoke) {
    this.name = name;
    this.#cable = cable;
    this.#spoke = spoke;
  }

  static async open(name: string, init: { readonly dataDir: string; readonly hubPort: number }): Promise<SpokePlace> {
    const cable = new LinkProxy(init.hubPort);
    await cable.open();
    const spoke = openSpoke({
      dataDir: init.dataDir,
      hubUrl: `http://127.0.0.1:${cable.port}`,
      token: null,
      intervalMs: NEVER_BY_ITSELF_MS,
      logger: QUIET,
      onProgress: silent,
      onExchanged: silent,
    });
    return new SpokePlace(name, cable, spoke);
  }

  async records(): Promise<readonly RecordView[]> {
    return this.#spoke.replication.records.list(null, null, ALL).records;
  }

  async operations(): Promise<readonly string[]> {
    return this.#spoke.replication.records.log(null, ALL).ops.map(({ op }) => `${op.origin}/${op.originSeq}`);
  }

  /** Kept at once, whether the hub is there or not; the identity of the operation. */
  write(entity: string, field: string, value: Json): string {
    return this.#identity(this.#spoke.replication.records.set(entity, field, value));
  }

  delete(entity: string, field: string): string {
    return this.#identity(this.#spoke.replication.records.delete(entity, field));
  }

  pullCable(): void {
    this.#plugged = false;
    this.#cable.cut();
  }

  plugIn(): void {
    this.#plugged = true;
    this.#cable.heal();
  }

  /** One exchange with the hub, where the cable is plugged in. */
  async exchange(): Promise<void> {
    if (this.#plugged) await this.#spoke.replication.spoke?.exchangeNow();
  }

  async close(): Promise<void> {
    this.#spoke.close();
    await this.#cable.close();
  }

  #identity(written: ReturnType<Spoke["replication"]["records"]["delete"]>): string {
    if (written?.outcome !== "written") throw new CliError(EXIT.failed, `${this.name} could not write`);
    return `${written.op.origin}/${written.op.originSeq}`;
  }
}
