/** One HTTP call to an engine, as any client makes it. */
export interface CallAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** null where there is none. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

const ANSWER_WITHIN_MS = 10_000;

/** @param body sent as JSON; undefined: no body */
export async function call(
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<CallAnswer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? null : (JSON.parse(text) as Readonly<Record<string, unknown>>),
  };
}
