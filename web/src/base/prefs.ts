// The preferences of the viewer, stored in this browser. They contain no secrets.

import { observable, useObservable, type Observable } from './observable'

export interface Prefs {
	theme: 'system' | 'light' | 'dark'
	zone: 'campaign' | 'mine' | 'utc'
	shortcuts: boolean
	pages: boolean
	masked: boolean
}

const ITEM = 'outdial-view'
const DEFAULTS: Prefs = { theme: 'system', zone: 'campaign', shortcuts: true, pages: false, masked: false }

function load(): Prefs {
	try {
		return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(ITEM) ?? '{}') }
	} catch {
		return DEFAULTS
	}
}

export const prefs: Observable<Prefs> = observable(load())

export function setPref<K extends keyof Prefs>(name: K, value: Prefs[K]) {
	const next = { ...prefs.get(), [name]: value }
	try {
		localStorage.setItem(ITEM, JSON.stringify(next))
	} catch {
		// In a browser that stores nothing, the preference is valid until the page is left.
	}
	prefs.set(next)
	applyTheme()
}

export function applyTheme() {
	const { theme } = prefs.get()
	if (theme === 'system') delete document.documentElement.dataset.theme
	else document.documentElement.dataset.theme = theme
}

export function usePrefs(): Prefs {
	return useObservable(prefs)
}
