// The demo's tokens come from /dev/token, which only `bellwire serve --dev` has. An application has its own backend give them.

import type { Identity } from "./person/identity.js";
import { fields } from "./payload.js";

/** Asked by the client before it connects and again before the token expires. */
export async function fetchToken(identity: Identity): Promise<string> {
  const { user, name, tone } = identity.person;
  const response = await fetch("/dev/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user, info: { name, color: tone } }),
  });
  if (!response.ok) throw new Error(`/dev/token answered ${response.status}`);
  const { token } = fields(await response.json());
  if (typeof token !== "string") throw new Error("/dev/token gave no token");
  return token;
}
