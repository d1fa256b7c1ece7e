// Who is signed in: what the API says of the key.

import type { CurrentKey, Scope } from 'api-types'
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

export async function enter(text: string): Promise<void> {
	const current = await look(text)
	signIn(text)
	session.set({ current, isByProxy: false })
}

export function leave() {
	signOut()
	session.set(null)
}

export function useSession(): Session | null {
	return useObservable(session)
}

export function useMay(scope: Scope): boolean {
	return useObservable(session)?.current.scopes.includes(scope) ?? false
}
