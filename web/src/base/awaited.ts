// What the dashboard asks of the API and the API is to get. Until then such requests become those that it knows, and
// replies are completed here, at the cost of more requests. What the API has got is deleted here and in
// web/awaited.yaml; then this file goes.

import type { Reply } from './api'

// Parts of pages that are not drawn until the API can answer them.
export const API_HAS = { allDeliveries: false }

type Read = (path: string) => Promise<Reply<any>>

const withData = (reply: Reply<any>, add: (row: any) => void): Reply<any> => {
	for (const row of Array.isArray(reply.data) ? reply.data : [reply.data]) add(row)
	return reply
}

// The reply to a GET that the API does not know in this form; null: it knows it.
export function awaited(full: string, read: Read): Promise<Reply<any>> | null {
	const [path] = full.split('?')
	if (/^\/webhooks(\/[^/]+)?$/.test(path))
		return read(full).then(reply => withData(reply, row => { row.waiting ??= row.failed_24h ??= row.delivered_24h ??= row.last_success_at ??= null }))
	return null
}
