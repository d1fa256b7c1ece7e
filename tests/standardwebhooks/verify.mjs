// Judges webhooks: by the reference library, and by the code of docs/webhooks.md. Standard input: {"reference",
// "hmac", "ed25519": modules; "cases": [{"key", "headers", "body" (base64)}]}; output: an array of verdicts.
import { readFileSync } from "node:fs";

const input = JSON.parse(readFileSync(0, "utf8"));
const { Webhook } = await import(input.reference);
const hmac = await import(input.hmac), ed25519 = await import(input.ed25519);

function takes(judge) {
	try {
		return judge() !== false;
	} catch {
		return false;
	}
}

function judge({ key, headers, body }) {
	const bytes = Buffer.from(body, "base64");

	if (key.startsWith("whpk_"))
		return { documented: takes(() => ed25519.isFromOutdial(key, headers, bytes)) };
	return {
		library: takes(() => new Webhook(key).verify(bytes.toString(), headers) !== undefined),
		documented: takes(() => hmac.isFromOutdial(key, headers, bytes)),
	};
}

console.log(JSON.stringify(input.cases.map(judge)));
