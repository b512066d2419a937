// The six domains as typed clients, made from the published documents and nothing else.

import createClient from "openapi-fetch";
import type { paths as Finance } from "./generated/finance.js";
import type { paths as Inventory } from "./generated/inventory.js";
import type { paths as Planning } from "./generated/planning.js";
import type { paths as Procurement } from "./generated/procurement.js";
import type { paths as Reporting } from "./generated/reporting.js";
import type { paths as Suppliers } from "./generated/suppliers.js";

const { BASE_URL, TOKENS } = process.env;
if (BASE_URL === undefined || TOKENS === undefined) {
  throw new Error("set BASE_URL, and TOKENS to a JSON object of tokens by role");
}
const tokens = JSON.parse(TOKENS) as Record<string, string>;

/** The product as one role sees it. */
export function as(role: string) {
  const options = {
    baseUrl: BASE_URL as string,
    headers: { authorization: `Bearer ${tokens[role] ?? ""}` },
  };
  return {
    suppliers: createClient<Suppliers>(options),
    procurement: createClient<Procurement>(options),
    inventory: createClient<Inventory>(options),
    planning: createClient<Planning>(options),
    finance: createClient<Finance>(options),
    reporting: createClient<Reporting>(options),
  };
}

/** Sets the business clock of a host that was started with `--test-clock`. */
export async function today(now: string): Promise<void> {
  const answer = await fetch(`${BASE_URL}/host/v1/clock`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ now }),
  });
  if (!answer.ok) throw new Error(`the clock answered ${answer.status}`);
}

let keys = 0;

/** The header of a write: a fresh key. */
export function once(): { header: { "Idempotency-Key": string } } {
  keys += 1;
  return { header: { "Idempotency-Key": `typescript-${keys}` } };
}

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer that succeeded; a refusal is thrown with all that it says. */
export async function done<T>(call: Promise<Answered<T>>): Promise<T> {
  return (await whole(call)).body;
}

/** The body, and the id of the cascade that the write began. */
export async function whole<T>(call: Promise<Answered<T>>): Promise<{ body: T; cascade: string }> {
  const { data, error, response } = await call;
  if (error !== undefined || data === undefined) {
    throw new Error(`${response.url} answered ${response.status}: ${JSON.stringify(error)}`);
  }
  return { body: data, cascade: response.headers.get("correlation-id") ?? "" };
}
