/**
 * Two hosts and the host of the witness on one machine: network namespaces on a bridge, where packets are dropped as on
 * a pulled cable. Needs root, `ip` and `iptables`.
 * Keeps true: namespaces, bridge and rules go with `close`; nothing outside of them is touched.
 */
import { execFileSync, spawnSync } from "node:child_process";
import type { Label } from "../../src/core/ids.ts";
import { requireServer } from "./servers.ts";

const LABELS = ["a", "b"] as const;

export class TwoHosts {
  /** Where this process and the witness are. */
  readonly here: string;
  readonly address: Readonly<Record<Label, string>>;
  readonly #bridge: string;
  readonly #net: number;

  private constructor(net: number) {
    this.#net = net;
    this.#bridge = `cov${net}`;
    this.here = `10.213.${net}.1`;
    this.address = { a: `10.213.${net}.2`, b: `10.213.${net}.3` };
  }

  /** Whether this user may make namespaces here. */
  static able(): boolean {
    const name = `cov-try-${process.pid}`;
    const made = spawnSync(requireServer("ip"), ["netns", "add", name]).status === 0;
    if (made) spawnSync(requireServer("ip"), ["netns", "del", name]);
    return made;
  }

  /** @param net a number from 1 to 250 that no other test of this machine uses at the time */
  static open(net: number): TwoHosts {
    const hosts = new TwoHosts(net);
    hosts.close();
    try {
      ip("link", "add", hosts.#bridge, "type", "bridge");
      ip("addr", "add", `${hosts.here}/24`, "dev", hosts.#bridge);
      ip("link", "set", hosts.#bridge, "up");
      for (const label of LABELS) hosts.#join(label);
      return hosts;
    } catch (error) {
      hosts.close();
      throw error;
    }
  }

  /** Program and arguments that run `command` on that host; the process id stays the command's. */
  on(label: Label, command: readonly string[]): readonly string[] {
    return [requireServer("ip"), "netns", "exec", this.#namespace(label), ...command];
  }

  /** What comes from `from` does not reach `to` any more. */
  drop(from: Label, to: Label): void {
    this.#filter(to, "-A", "INPUT", "-s", this.address[from], "-j", "DROP");
  }

  /** Nothing passes between the engines. */
  dropLink(): void {
    this.drop("a", "b");
    this.drop("b", "a");
  }

  /** What `label` says to the witness is lost. */
  dropWitness(label: Label, port: number): void {
    this.#filter(label, "-A", "OUTPUT", "-d", this.here, "-p", "tcp", "--dport", String(port), "-j", "DROP");
  }

  /** Every cable is in again. */
  mend(): void {
    for (const label of LABELS) this.#filter(label, "-F");
  }

  close(): void {
    for (const label of LABELS) {
      // A namespace lives on while a last socket of it waits; its cable goes at once.
      spawnSync(requireServer("ip"), ["link", "del", `${this.#bridge}${label}`]);
      spawnSync(requireServer("ip"), ["netns", "del", this.#namespace(label)]);
    }
    spawnSync(requireServer("ip"), ["link", "del", this.#bridge]);
  }

  #join(label: Label): void {
    const [namespace, outside] = [this.#namespace(label), `${this.#bridge}${label}`];
    ip("netns", "add", namespace);
    ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("link", "set", outside, "master", this.#bridge);
    ip("link", "set", outside, "up");
    ip("-n", namespace, "addr", "add", `${this.address[label]}/24`, "dev", "eth0");
    ip("-n", namespace, "link", "set", "eth0", "up");
    ip("-n", namespace, "link", "set", "lo", "up");
  }

  #filter(label: Label, ...rule: readonly string[]): void {
    const [command = "", ...args] = this.on(label, [requireServer("iptables"), ...rule]);
    execFileSync(command, args);
  }

  #namespace(label: Label): string {
    return `cov-${this.#net}-${label}`;
  }
}

function ip(...args: readonly string[]): void {
  execFileSync(requireServer("ip"), args);
}
