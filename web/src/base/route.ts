// Addresses under /dashboard, by the History API. The address is the state of a page: filters and pages are in its
// query, so that it can be sent to a colleague.

import { observable, useObservable } from './observable'

export const ROOT = '/dashboard'

export interface Place {
	path: string
	query: URLSearchParams
}

const read = (): Place => ({
	path: location.pathname.slice(ROOT.length).replace(/\/+$/, '') || '/', query: new URLSearchParams(location.search),
})

export const place = observable<Place>(read())

// Called before a page is left. Returns a text if something would be lost.
let guard: (() => boolean) | null = null

export function setGuard(next: (() => boolean) | null) {
	guard = next
}

let current = location.href

addEventListener('popstate', () => {
	if (guard && !guard()) {
		history.pushState(null, '', current)
		return
	}
	moved()
})

addEventListener('beforeunload', event => {
	if (hasUnsaved()) event.preventDefault()
})

let unsaved = () => false

export function setUnsaved(test: (() => boolean) | null) {
	unsaved = test ?? (() => false)
}

function hasUnsaved() {
	return unsaved()
}

function moved() {
	current = location.href
	place.set(read())
}

// `path` may have a query. Returns false if the user wants to stay.
export function go(path: string, options: { replace?: boolean; force?: boolean } = {}): boolean {
	const target = ROOT + (path === '/' ? '/' : path)
	const leaves = target.split('?')[0] !== location.pathname
	if (leaves && !options.force && guard && !guard()) return false
	if (options.replace) history.replaceState(null, '', target)
	else if (target !== location.pathname + location.search) history.pushState(null, '', target)
	moved()
	return true
}

// Changes parameters of the query; null or '' removes one.
export function setQuery(changes: Record<string, string | number | null>, options: { replace?: boolean } = {}) {
	const query = new URLSearchParams(place.get().query)
	for (const [name, value] of Object.entries(changes)) {
		if (value === null || value === '') query.delete(name)
		else query.set(name, String(value))
	}
	const text = query.toString()
	go(place.get().path + (text ? '?' + text : ''), { replace: options.replace ?? true })
}

export function usePlace(): Place {
	return useObservable(place)
}

// Matches a path with a pattern such as '/campaigns/:id'. Returns the values, or null.
export function match(pattern: string, path: string): Record<string, string> | null {
	const wanted = pattern.split('/'), words = path.split('/')
	if (wanted.length !== words.length) return null
	const found: Record<string, string> = {}
	for (let i = 0; i < wanted.length; i++) {
		if (wanted[i].startsWith(':')) {
			try {
				found[wanted[i].slice(1)] = decodeURIComponent(words[i])
			} catch {
				return null
			}
		} else if (wanted[i] !== words[i]) return null
	}
	return found
}

// The query of a request: members that are null, undefined or '' are left out.
export function query(words: Record<string, string | number | boolean | null | undefined>): string {
	const parts = new URLSearchParams()
	for (const [name, value] of Object.entries(words))
		if (value !== null && value !== undefined && value !== '') parts.set(name, String(value))
	const text = parts.toString()
	return text ? '?' + text : ''
}
