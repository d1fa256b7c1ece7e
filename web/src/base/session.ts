// The session: the API's description of the key.

import type { CurrentKey, KeyWithText, Scope } from 'api-types'
import { ApiError, call } from './api'
import { findKey, key, signIn, signOut } from './key'
import { observable, useObservable } from './observable'

export interface Session {
	current: CurrentKey
	// No key is kept here: a proxy in front adds one to every request.
	isByProxy: boolean
}

export const session = observable<Session | null>(null)

key.subscribe(() => {
	if (!key.get()) session.set(null)
})

// Returns the session of a key. Throws an ApiError if the key is refused. `text` null: asks without a key.
async function look(text: string | null): Promise<CurrentKey> {
	const { data } = await call<CurrentKey>('GET', '/keys/current', { otherKey: text })
	if (!data.scopes.includes('read'))
		throw new ApiError(403, 'forbidden', 'This key may only report calls; the dashboard needs a key with the scope “read”.')
	return data
}

// Returns the session of this browser's key, or of a proxy that adds a key. Null: the user has to sign in.
export async function resume(): Promise<Session | null> {
	const known = await findKey()
	try {
		const current = await look(known)
		const found = { current, isByProxy: known === null }
		session.set(found)
		return found
	} catch (error) {
		if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) throw error
		if (known) signOut()
		return null
	}
}

// The typed key creates the key of a session, and is forgotten. The key of the session ends with the typed key, or after twelve hours.
export async function enter(text: string): Promise<void> {
	await look(text)
	const { data: made } = await call<KeyWithText>('POST', '/keys/session', { otherKey: text, body: {} })
	const current = await look(made.key)
	signIn(made.key!)
	session.set({ current, isByProxy: false })
}

// The session ends on the server too. If this request fails, the session ends by itself later.
export function leave() {
	const text = key.get()
	if (text && session.get()?.current.parent_id) call('DELETE', '/keys/current', { otherKey: text }).catch(() => undefined)
	signOut()
	session.set(null)
}

export function useSession(): Session | null {
	return useObservable(session)
}

export function useMay(scope: Scope): boolean {
	return useObservable(session)?.current.scopes.includes(scope) ?? false
}
