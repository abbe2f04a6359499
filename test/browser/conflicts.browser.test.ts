/** A field that was set on both engines while they could not hear each other is settled on the page, in each way. */
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { healLink } from "../../src/cli/demo/faults.ts";
import type { Json } from "../../src/core/canonical-json.ts";
import type { Label } from "../../src/core/ids.ts";
import { describeWithServer } from "../support/servers.ts";
import { OpenStage } from "./open-stage.ts";

const BOTH = ["a", "b"] as const;
const SLOW = { timeout: 20_000 };

describeWithServer("chromium", "the page, a field that was set on both engines apart", () => {
  const stage = new OpenStage();
  beforeAll(() => stage.open());
  afterAll(() => stage.close());

  const address = (label: Label, field: string): string => `${stage.set.url(label)}/api/records/title/${field}`;
  const valueOn = async (label: Label, field: string): Promise<Json> =>
    ((await (await fetch(address(label, field))).json()) as { value: Json }).value;

  async function set(label: Label, field: string, value: Json): Promise<void> {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(address(label, field), { method: "PUT", headers, body: JSON.stringify({ value }) });
    expect(answer.status).toBe(200);
  }

  /** The row of a conflict about `field` on the page. */
  async function conflictAbout(field: string): Promise<Locator> {
    const { plant } = stage.set;
    plant.cutLink();
    await set("a", field, "as a has it");
    await set("b", field, "as b has it");
    await healLink(plant);
    const { page } = stage.watched;
    const row = page.locator(`.conflict[aria-label="Conflict title · ${field}"]`);
    await row.waitFor(SLOW);
    const text = await row.innerText();
    for (const label of BOTH) {
      expect(text).toContain(`as ${label} has it`);
      expect(text).toContain(`engine ${label}`);
    }
    return row;
  }

  async function bothHold(field: string, value: Json): Promise<void> {
    for (const label of BOTH) await expect.poll(() => valueOn(label, field), SLOW).toEqual(value);
  }

  test("both versions are shown, and what stands can be kept", async () => {
    const row = await conflictAbout("kept");
    const standing = await valueOn("a", "kept");
    await row.getByRole("button", { name: /^Keep what stands/ }).click();
    await expect.poll(() => row.textContent(), SLOW).toContain("keep by");
    await bothHold("kept", standing);
  });

  test("the other version can be taken", async () => {
    const row = await conflictAbout("taken");
    const standing = await valueOn("a", "taken");
    const other = standing === "as a has it" ? "as b has it" : "as a has it";
    await row.getByRole("button", { name: /^Take the other one/ }).click();
    await expect.poll(() => row.textContent(), SLOW).toContain("reapply by");
    await bothHold("taken", other);
  });

  test("a value can be typed; what is not JSON cannot be sent", async () => {
    const row = await conflictAbout("typed");
    await row.getByRole("button", { name: /^Set another value/ }).click();
    const field = row.getByRole("textbox");
    const send = row.getByRole("button", { name: "Set another value", exact: true });
    await field.fill("as both want it");
    expect(await send.isDisabled()).toBe(true);
    expect(await row.getByRole("status").innerText()).toContain("not JSON");
    await field.fill('{"line": "as both want it"}');
    await field.press("Enter");
    await expect.poll(() => row.textContent(), SLOW).toContain("value by");
    await bothHold("typed", { line: "as both want it" });
  });
});
