// The key of this browser's session: in memory and in sessionStorage, so that it is gone with the last tab. Tabs share it
// through a channel that only pages of this origin hear.

import { observable } from './observable'

const ITEM = 'outdial-key'
const IDLE_MS = 12 * 3600 * 1000
const ASK_MS = 150

export const key = observable<string | null>(null)

const channel = new BroadcastChannel('outdial-key')
let lastUse = Date.now()

channel.onmessage = event => {
	const said = event.data as { ask?: boolean; key?: string; out?: boolean }
	if (said.ask && key.get()) channel.postMessage({ key: key.get() })
	else if (said.out) forget()
	else if (typeof said.key === 'string' && !key.get()) keep(said.key)
}

function keep(text: string) {
	sessionStorage.setItem(ITEM, text)
	lastUse = Date.now()
	key.set(text)
}

function forget() {
	sessionStorage.removeItem(ITEM)
	key.set(null)
}

// The key of this tab, or the key that another tab of this browser sends within a moment.
export function findKey(): Promise<string | null> {
	const own = sessionStorage.getItem(ITEM)
	if (own) {
		keep(own)
		return Promise.resolve(own)
	}
	channel.postMessage({ ask: true })
	return new Promise(resolve => {
		const stop = key.subscribe(() => done())
		const timer = setTimeout(() => done(), ASK_MS)
		const done = () => {
			stop()
			clearTimeout(timer)
			resolve(key.get())
		}
	})
}

export function signIn(text: string) {
	keep(text)
	channel.postMessage({ key: text })
}

export function signOut() {
	forget()
	channel.postMessage({ out: true })
}

// After twelve hours without input on the page: sign out.
export function watchIdleness(leave: () => void) {
	const used = () => { lastUse = Date.now() }
	for (const event of ['pointerdown', 'keydown']) addEventListener(event, used, { capture: true, passive: true })
	setInterval(() => {
		if (key.get() && Date.now() - lastUse > IDLE_MS) leave()
	}, 60_000)
}
