/** The faults of the demonstration as buttons. They are there only when the demonstration itself says so. */
import { HOME } from "./feed.ts";
import { useEffect, useState } from "preact/hooks";

interface Fault {
  readonly key: string;
  readonly name: string;
}

const PATH = new URL("demo/faults", HOME).href;

export function DemoFaults() {
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    void fetch(PATH).then(async (answer) => {
      if (answer.ok) setFaults(((await answer.json()) as { faults: Fault[] }).faults);
    });
  }, []);
  const press = async ({ key, name }: Fault): Promise<void> => {
    setBusy(true);
    setTold(`${name} …`);
    try {
      const answer = await fetch(`${PATH}/${key}`, { method: "POST" });
      setTold(((await answer.json()) as { told: string }).told);
    } catch {
      setTold("the demonstration does not answer");
    }
    setBusy(false);
  };
  if (faults.length === 0) return null;
  return (
    <section class="faults" aria-label="Faults of the demonstration">
      <header>
        <h2>Break it</h2>
        <p role="status">{told}</p>
      </header>
      {faults.map((fault) => (
        <button key={fault.key} type="button" disabled={busy} onClick={() => void press(fault)}>
          {fault.name} <kbd>{fault.key}</kbd>
        </button>
      ))}
    </section>
  );
}
