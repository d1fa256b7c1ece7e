// Runs a campaign with a client that knows the API by schema.ts alone, which is generated from the document.
// Its types are half of the test: what the document does not say does not compile.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

type BatchCall = components['schemas']['BatchCall'];
type ErrorCode = components['schemas']['ErrorCode'];

declare const process: { env: Record<string, string | undefined> };
const { OUTDIAL_URL, OUTDIAL_API_KEY, WEBHOOK_ID } = process.env;
const api = createClient<paths>({
  baseUrl: `${OUTDIAL_URL}/api/public/v1`,
  headers: { Authorization: `Bearer ${OUTDIAL_API_KEY}` },
});

function given<T>({ data, error }: { data?: { data: T }; error?: components['schemas']['Error'] }): T {
  if (data === undefined) throw new Error(`${error?.error.code}: ${error?.error.message}`);
  return data.data;
}

async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`it takes too long; the last answer: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function agent(webhookId: string): Promise<string> {
  const { id } = given(await api.POST('/agents', { body: { name: 'Typed', webhook_id: webhookId, settings: { a: 1 } } }));
  const read = async () => given(await api.GET('/agents/{id}', { params: { path: { id } } }));
  await until(read, (agent) => agent.status === 'active');
  return id;
}

async function campaign(agentId: string, numberId: string): Promise<BatchCall> {
  return given(await api.POST('/batch-calls', {
    params: { header: { 'Idempotency-Key': agentId } },
    body: {
      name: 'Typed', agent_id: agentId, phone_number_ids: [numberId], working_days: [1, 2, 3, 4, 5, 6, 7],
      retry_on: ['busy'], contacts: [{ phone_number: '+12125550101', custom_fields: { at: '9:30' } },
                                     { phone_number: '+12125550102', first_name: 'Blaise' }],
    },
  }));
}

async function run(): Promise<void> {
  const agentId = await agent(WEBHOOK_ID!);
  const number = given(await api.POST('/telephony/numbers/import', { body: { phone_number: '+12025550171' } }));
  const { id } = await campaign(agentId, number.id);
  const path = { id };
  given(await api.POST('/batch-calls/{id}/schedule', { params: { path } }));
  const read = async () => given(await api.GET('/batch-calls/{id}', { params: { path } }));
  const ended = await until(read, (batch) => batch.status === 'completed');

  const refused = await api.POST('/batch-calls/{id}/pause', { params: { path } });
  const code: ErrorCode | undefined = refused.error?.error.code;
  const analytics = given(await api.GET('/batch-calls/{id}/analytics', { params: { path, query: { interval: 'hour' } } }));
  const page = await api.GET('/batch-calls/{id}/contacts', { params: { path, query: { status: ['completed'], limit: 1 } } });
  const csv = await api.GET('/batch-calls/{id}/results.csv', { params: { path }, parseAs: 'text' });
  const gone = await api.DELETE('/batch-calls/{id}', { params: { path } });
  console.log(JSON.stringify({
    completed: ended.completed, refused: code, attempts: analytics.attempts, rate: analytics.answer_rate,
    first: page.data?.data[0]?.phone_number, total: page.data?.pagination.total,
    rows: csv.data?.trimEnd().split('\r\n').length, gone: gone.response.status,
  }));
}

await run();
