/** Where an operator types a value in place of both sides of a conflict. What is not JSON cannot be sent. */
import { useState } from "preact/hooks";
import type { Json } from "../../core/canonical-json.ts";

interface Props {
  readonly subject: string;
  /** What stands in the field at first. */
  readonly first: Json;
  readonly word: string;
  readonly onValue: (value: Json) => void;
  readonly onCancel: () => void;
}

export function ValueForm({ subject, first, word, onValue, onCancel }: Props) {
  const [text, setText] = useState(JSON.stringify(first));
  const value = parsed(text);
  return (
    <form
      class="value-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (value !== undefined) onValue(value);
      }}
    >
      <input
        type="text"
        autocomplete="off"
        spellcheck={false}
        aria-label={`Value in JSON, ${subject}`}
        aria-invalid={value === undefined}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit" disabled={value === undefined}>
        {word}
      </button>
      <button type="button" onClick={onCancel}>
        Cancel
      </button>
      <p class="small" role="status">
        {value === undefined ? 'This is not JSON: text stands in quotes, as "cam 2".' : ""}
      </p>
    </form>
  );
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
