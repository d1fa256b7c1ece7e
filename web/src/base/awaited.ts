// What the dashboard asks of the API and the API is to get. Until then such requests become those that it knows, and
// replies are completed here, at the cost of more requests. What the API has got is deleted here and in
// web/awaited.yaml; then this file goes.

import type { Reply } from './api'

// Parts of pages that are not drawn until the API can answer them.
export const API_HAS = { searchMore: false, allDeliveries: false }

type Read = (path: string) => Promise<Reply<any>>

const STATES = ['draft', 'scheduled', 'active', 'paused', 'completed', 'failed', 'cancelled']

const without = (words: URLSearchParams, ...names: string[]) => {
	const left = new URLSearchParams(words)
	for (const name of names) left.delete(name)
	return left
}

const withData = (reply: Reply<any>, add: (row: any) => void): Reply<any> => {
	for (const row of Array.isArray(reply.data) ? reply.data : [reply.data]) add(row)
	return reply
}

async function overview(read: Read): Promise<Reply<any>> {
	const counts: Record<string, number> = {}
	for (const state of STATES) counts[state] = (await read(`/batch-calls?status=${state}&limit=1`)).pagination!.total
	const active = await read('/batch-calls?status=active&limit=100')
	const failed = await read('/batch-calls?status=failed&limit=5')
	const webhooks = await read('/webhooks?limit=100')
	const sum = (name: string) => active.data.reduce((all: number, row: any) => all + row[name], 0)
	return { ...active, etag: null, data: {
		campaigns: counts, calls_in_flight: sum('in_progress'), places: sum('places'), today: null,
		webhooks: webhooks.data.filter((row: any) => row.disabled || row.circuit !== 'closed'), deliveries: { waiting: 0, failed_24h: 0 },
		failed_campaigns: failed.data.filter((row: any) => Date.now() - Date.parse(row.updated_at) < 86_400_000),
	} }
}

// The reply to a GET that the API does not know in this form; null: it knows it.
export function awaited(full: string, read: Read): Promise<Reply<any>> | null {
	const [path, query = ''] = full.split('?')
	const words = new URLSearchParams(query)
	if (path === '/overview') return overview(read)
	if (/^\/webhooks(\/[^/]+)?$/.test(path))
		return read(full).then(reply => withData(reply, row => { row.waiting ??= row.failed_24h ??= row.delivered_24h ??= row.last_success_at ??= null }))
	if (/^\/agents(\/[^/]+)?$/.test(path)) return read(full).then(reply => withData(reply, row => { row.campaigns ??= null }))
	if (/^\/telephony\/numbers\/[^/]+\/analytics$/.test(path)) return Promise.resolve({ data: { calls: 0, answer_rate: null }, etag: null, meta: { request_id: '', ts: '' } })
	if (path === '/telephony/numbers' || path === '/contacts/folders' || path === '/do-not-call') return words.has('search') ? read(`${path}?${without(words, 'search')}`) : null
	return null
}
