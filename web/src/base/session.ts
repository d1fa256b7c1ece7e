// Who is signed in: what the API says of the key.

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

// The session of a key; an ApiError when the key is refused. `text` null: asked without a key.
async function look(text: string | null): Promise<CurrentKey> {
	const { data } = await call<CurrentKey>('GET', '/keys/current', { otherKey: text })
	if (!data.scopes.includes('read'))
		throw new ApiError(403, 'forbidden', 'This key may only report calls; the dashboard needs a key with the scope “read”.')
	return data
}

// What is known already: a key of this browser, or a proxy that brings one. Null: somebody has to sign in.
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

// The key that was typed makes the key of a session, and is forgotten. What is kept ends with it, or after twelve hours.
export async function enter(text: string): Promise<void> {
	await look(text)
	const { data: made } = await call<KeyWithText>('POST', '/keys/session', { otherKey: text, body: {} })
	const current = await look(made.key)
	signIn(made.key!)
	session.set({ current, isByProxy: false })
}

// The session ends on the server too; should it not hear of that, it ends by itself.
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
