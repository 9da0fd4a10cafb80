// Reads a JSON object of HTML by name; writes, by name and mail program, what that program does not support.
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

const CLIENTS = ["gmail.*", "outlook.*", "apple-mail.*", "yahoo.*"];

const found = {};
for (const [name, html] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const { errors } = caniemail({ clients: CLIENTS, html }).issues;
  found[name] = Object.fromEntries(
    [...errors].map(([client, issues]) => [client, [...new Set(issues.map((issue) => issue.title))].sort()]),
  );
}
console.log(JSON.stringify(found));
