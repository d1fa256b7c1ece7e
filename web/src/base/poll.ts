// Reads that are repeated, so that the page stays up to date. Each path has one request at a time, however many parts
// of the page show it. The next request is timed from the answer, with longer pauses after failures. While the tab is
// hidden, nothing is requested. A reply with the same data draws nothing.

import { useCallback, useSyncExternalStore } from 'react'
import { ApiError, call, server, type Reply } from './api'
import { key } from './key'

const KEPT_MS = 60_000
const SLOWEST_MS = 30_000

export interface Live<T> {
	reply: Reply<T> | null
	data: T | null
	error: ApiError | null
	isLoading: boolean
}

interface Listener { draw: () => void; ms: number }

class Feed {
	state: Live<any> = { reply: null, data: null, error: null, isLoading: true }
	listeners = new Set<Listener>()
	private text = ''
	private timer: number | undefined
	private running: Promise<void> | null = null
	private failures = 0
	private slowness = 1
	private askedAgain = false

	constructor(readonly path: string) {}

	add(listener: Listener): () => void {
		this.listeners.add(listener)
		clearTimeout(this.timer)
		if (!this.running) this.plan(this.state.reply && this.listeners.size > 1 ? this.interval() : 0)
		return () => {
			this.listeners.delete(listener)
			if (this.listeners.size === 0) this.rest()
		}
	}

	private rest() {
		clearTimeout(this.timer)
		this.timer = window.setTimeout(() => feeds.delete(this.path), KEPT_MS)
	}

	private interval(): number {
		const wanted = Math.min(...[...this.listeners].map(listener => listener.ms))
		return wanted * this.slowness * (0.9 + Math.random() * 0.2)
	}

	private plan(ms: number) {
		if (this.listeners.size === 0) return
		clearTimeout(this.timer)
		if (ms === Infinity) return
		this.timer = window.setTimeout(() => { void this.ask() }, ms)
	}

	// Reads now, or right after the request that is under way.
	refresh(): Promise<void> {
		if (this.running) {
			this.askedAgain = true
			return this.running
		}
		clearTimeout(this.timer)
		return this.ask()
	}

	wake() {
		if (this.listeners.size > 0 && !this.running && this.state.error?.status !== 401) this.plan(0)
	}

	private ask(): Promise<void> {
		if (document.hidden && this.state.reply) return Promise.resolve()
		this.running = this.read().then(wait => {
			// The next read is planned here and not in read(), because showing the data may add listeners with another interval.
			this.running = null
			const again = this.askedAgain
			this.askedAgain = false
			if (again) void this.ask()
			else this.plan(wait ?? this.interval())
		})
		return this.running
	}

	// Returns how long to wait before the next read; null: the interval of the listeners.
	private async read(): Promise<number | null> {
		try {
			const reply = await call<any>('GET', this.path)
			if (!key.get()) return Infinity
			this.failures = 0
			const text = JSON.stringify([reply.data, reply.pagination, reply.meta.counts])
			if (text !== this.text || this.state.error) {
				const data = text === this.text ? this.state.data : reply.data
				this.text = text
				this.show({ reply, data, error: null, isLoading: false })
			}
			return null
		} catch (error) {
			const failed = error instanceof ApiError ? error : new ApiError(500, 'internal_error', String(error))
			return this.fail(failed)
		}
	}

	private fail(error: ApiError): number {
		this.failures++
		if (error.status === 429) this.slowness = Math.min(this.slowness * 2, 16)
		this.show({ ...this.state, error, isLoading: false })
		if (error.status === 401) return Infinity
		const isFinal = error.status >= 400 && error.status < 500 && error.status !== 429
		const wait = isFinal ? SLOWEST_MS : error.retryAfter ? error.retryAfter * 1000
			: Math.min(1000 * 2 ** this.failures, SLOWEST_MS)
		if (error.isAway) server.set({ ...server.get(), nextTry: Date.now() + wait })
		return wait
	}

	private show(state: Live<any>) {
		this.state = state
		for (const listener of [...this.listeners]) listener.draw()
	}
}

const feeds = new Map<string, Feed>()

document.addEventListener('visibilitychange', () => {
	if (!document.hidden) for (const feed of feeds.values()) feed.wake()
})
key.subscribe(() => {
	if (!key.get()) feeds.clear()
	else for (const feed of feeds.values()) void feed.refresh()
})

// Reads the data under this key again at once: after a change, or when the user asks to try now.
export function refresh(...starts: string[]): Promise<unknown> {
	const wanted = [...feeds.values()].filter(feed => starts.some(start => feed.path.startsWith(start)))
	return Promise.all(wanted.map(feed => feed.listeners.size ? feed.refresh() : feeds.delete(feed.path)))
}

function feedOf(path: string): Feed {
	let feed = feeds.get(path)
	if (!feed) feeds.set(path, feed = new Feed(path))
	return feed
}

const NOTHING: Live<any> = { reply: null, data: null, error: null, isLoading: false }

// Returns the reply at a path, and reads it again `ms` after each answer (Infinity: only once). Without a path it reads
// nothing.
export function useLive<T>(path: string | null, ms = Infinity): Live<T> {
	const feed = path === null ? null : feedOf(path)
	const subscribe = useCallback((draw: () => void) => feed ? feed.add({ draw, ms }) : () => undefined, [feed, ms])
	return useSyncExternalStore(subscribe, () => feed ? feed.state : NOTHING)
}
