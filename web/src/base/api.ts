// The only use of fetch. It sends the key, remembers replies by their ETag, repeats a request that may be lost under the
// same idempotency key, and throws the server's error as an ApiError.

import type { Fault, Pagination } from 'api-types'
import { key } from './key'
import { observable } from './observable'

export const API = '/api/public/v1'
const REMEMBERED = 300
const TIMEOUT_MS = 30_000

export interface Reply<T> {
	data: T
	pagination?: Pagination
	meta: { request_id: string; ts: string; counts?: Record<string, number> }
	etag: string | null
}

export class ApiError extends Error {
	constructor(readonly status: number, readonly code: string, message: string, readonly errors: Fault[] = [],
		readonly requestId: string | null = null, readonly retryAfter: number | null = null) {
		super(message)
	}

	// There was no answer, or the answer came from a proxy in front of Outdial.
	get isAway() {
		return this.status === 0 || this.status >= 502
	}
}

// The state of the server: since when it does not answer, and how far this browser's clock is ahead of its clock.
export interface Server {
	awaySince: number | null
	lastAnswer: number | null
	nextTry: number | null
	clockAhead: number
	isBusy: boolean
}

export const server = observable<Server>({
	awaySince: null, lastAnswer: null, nextTry: null, clockAhead: 0, isBusy: false,
})

// Incremented when the key is refused, so that the page asks for another key.
export const refusals = observable(0)

const remembered = new Map<string, Reply<unknown>>()
key.subscribe(() => remembered.clear())

export function now(): number {
	return Date.now() - server.get().clockAhead
}

export interface Options {
	body?: unknown
	file?: Blob
	type?: string
	ifMatch?: string
	signal?: AbortSignal
	idempotencyKey?: string
	otherKey?: string | null
	timeout?: number
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<Reply<T>> {
	const mayRemember = method === 'GET' && options.otherKey === undefined
	const known = mayRemember ? remembered.get(path) : undefined
	const response = await send(method, path, options, known?.etag ?? null)
	if (response.status === 304 && known) {
		heard(response.headers.get('Date'), false)
		return known as Reply<T>
	}
	const reply = response.status === 204 ? null : await readJson(response)
	heard(reply?.meta?.ts ?? null, true)
	if (!response.ok) throw failure(response, reply)
	const result: Reply<unknown> = { ...(reply ?? { data: null, meta: { request_id: '', ts: '' } }), etag: response.headers.get('ETag') }
	if (mayRemember && result.etag) remember(path, result)
	return result as Reply<T>
}

async function send(method: string, path: string, options: Options, etag: string | null): Promise<Response> {
	const headers: Record<string, string> = {}
	const bearer = options.otherKey !== undefined ? options.otherKey : key.get()
	if (bearer) headers.Authorization = 'Bearer ' + bearer
	if (options.file) headers['Content-Type'] = options.type ?? 'text/csv'
	else if (method !== 'GET' && method !== 'DELETE') headers['Content-Type'] = 'application/json'
	if (method !== 'GET') headers['X-Idempotency-Key'] = options.idempotencyKey ?? newIdempotencyKey()
	if (options.ifMatch) headers['If-Match'] = options.ifMatch
	if (etag) headers['If-None-Match'] = etag
	const abort = new AbortController()
	const timer = setTimeout(() => abort.abort(), options.timeout ?? TIMEOUT_MS)
	options.signal?.addEventListener('abort', () => abort.abort())
	try {
		return await fetch(API + path, {
			method, headers, cache: 'no-store', credentials: 'omit', redirect: 'error', signal: abort.signal,
			body: options.file ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
		})
	} catch (error) {
		if (options.signal?.aborted) throw error
		lost()
		throw new ApiError(0, 'unavailable', 'Outdial cannot be reached.')
	} finally {
		clearTimeout(timer)
	}
}

async function readJson(response: Response): Promise<any> {
	try {
		return JSON.parse(await response.text())
	} catch {
		if (response.ok) throw new ApiError(0, 'unavailable', 'The answer broke off.')
		return null
	}
}

function failure(response: Response, reply: any): ApiError {
	const error = reply?.error ?? {}
	const after = Number(response.headers.get('Retry-After'))
	const failed = new ApiError(response.status, String(error.code ?? 'unavailable'),
		String(error.message ?? `Outdial answered ${response.status}.`), error.details?.errors ?? [],
		response.headers.get('X-Request-Id') ?? reply?.meta?.request_id ?? null, after > 0 ? after : null)
	if (failed.isAway) lost()
	if (failed.status === 401) refusals.set(refusals.get() + 1)
	server.set({ ...server.get(), isBusy: failed.status === 429 })
	return failed
}

function remember(path: string, reply: Reply<unknown>) {
	remembered.delete(path)
	remembered.set(path, reply)
	if (remembered.size > REMEMBERED) remembered.delete([...remembered.keys()][0])
}

// The Date header has whole seconds, meta.ts has microseconds.
function heard(ts: string | null, isExact: boolean) {
	const time = ts ? Date.parse(ts) : NaN
	const old = server.get()
	let ahead = old.clockAhead
	if (!Number.isNaN(time) && isExact && Math.abs(Date.now() - time - ahead) > 1500) ahead = Date.now() - time
	server.set({ ...old, awaySince: null, nextTry: null, lastAnswer: Date.now(), clockAhead: ahead })
}

function lost() {
	const old = server.get()
	server.set({ ...old, awaySince: old.awaySince ?? Date.now() })
}

export function newIdempotencyKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16))
	return 'dashboard-' + [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

// Sends a change. If its answer is lost, the change is sent again under the same idempotency key, so nothing is done
// twice.
export async function change<T>(method: string, path: string, options: Options = {}): Promise<T> {
	const idempotencyKey = options.idempotencyKey ?? newIdempotencyKey()
	for (let turn = 0; ; turn++) {
		try {
			return (await call<T>(method, path, { ...options, idempotencyKey })).data
		} catch (error) {
			if (!(error instanceof ApiError) || !error.isAway || turn === 2) throw error
			const seconds = error.retryAfter ?? 1 + turn
			await new Promise(resolve => setTimeout(resolve, seconds * 1000))
		}
	}
}

// Downloads a file of the API to the disk of the user. The browser fetches it at an address that needs no key.
export async function download(linkPath: string, name: string, body: object) {
	const { url } = await change<{ url: string }>('POST', linkPath, { body })
	const address = new URL(url)
	saveFrom(address.pathname + address.search, name)
}

function saveFrom(url: string, name: string) {
	const link = document.createElement('a')
	link.href = url
	link.download = name
	link.click()
}

export function save(content: Blob, name: string) {
	const url = URL.createObjectURL(content)
	saveFrom(url, name)
	setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
