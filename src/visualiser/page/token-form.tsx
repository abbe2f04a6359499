/** Asks for a token once; the tab keeps it until it is closed. */
import { useState } from "preact/hooks";

export function TokenForm({ onToken }: { readonly onToken: (token: string) => void }) {
  const [token, setToken] = useState("");
  return (
    <form
      class="token"
      aria-label="Token"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== "") onToken(token.trim());
      }}
    >
      <h2>This engine asks for a token</h2>
      <label for="token">
        A token of role viewer shows everything; one of role operator can also resolve conflicts.
      </label>
      <input
        id="token"
        type="password"
        autocomplete="off"
        value={token}
        onInput={({ currentTarget }) => setToken(currentTarget.value)}
      />
      <button type="submit">Show the pair</button>
    </form>
  );
}
