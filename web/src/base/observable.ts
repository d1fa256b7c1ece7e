// A value that parts of the page show. They are drawn again when it changes.

import { useSyncExternalStore } from 'react'

export interface Observable<T> {
	get(): T
	set(value: T): void
	subscribe(listener: () => void): () => void
}

export function observable<T>(value: T): Observable<T> {
	const listeners = new Set<() => void>()
	return {
		get: () => value,
		set(next) {
			if (Object.is(next, value)) return
			value = next
			for (const listener of [...listeners]) listener()
		},
		subscribe(listener) {
			listeners.add(listener)
			return () => { listeners.delete(listener) }
		},
	}
}

export function useObservable<T>(source: Observable<T>): T {
	return useSyncExternalStore(source.subscribe, source.get)
}
