// Shown instead of the requested page until there is a key.

import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../base/api'
import { enter } from '../base/session'
import { messageOf, useTitle } from '../parts/basics'
import { Icon, Logo } from '../parts/icon'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

export function SignIn({ again }: { again?: boolean }) {
	const [text, setText] = useState('')
	const [isShown, setShown] = useState(false)
	const [fault, setFault] = useState('')
	const [isRunning, setRunning] = useState(false)
	const field = useRef<HTMLInputElement>(null)
	useTitle('Sign in')
	useEffect(() => field.current?.focus(), [])
	const submit = async (event: React.FormEvent) => {
		event.preventDefault()
		setFault('')
		if (!text.trim()) {
			setFault('Paste your API key.')
			field.current?.focus()
			return
		}
		setRunning(true)
		try {
			await enter(text.trim())
		} catch (error) {
			setFault(error instanceof ApiError && error.status === 401 ? 'This API key is not known.' : messageOf(error))
			setRunning(false)
			field.current?.focus()
			field.current?.select()
		}
	}
	const isReadable = location.protocol === 'http:' && !LOOPBACK.test(location.hostname)
	return (
		<main className="sign-in" id="main">
			<div className="card">
				<div className="brand"><Logo />Outdial</div>
				<h1>{again ? 'Sign in again' : 'Sign in'}</h1>
				{again && <p className="soft">Your key is not taken any more. What you typed is kept.</p>}
				<form className="form" onSubmit={submit} noValidate>
					<div className="field">
						<label htmlFor="key">API key</label>
						<div className="key-input">
							<input id="key" ref={field} className="input" type={isShown ? 'text' : 'password'} autoComplete="off" spellCheck={false} placeholder="outdial_…"
								value={text} onChange={event => setText(event.target.value)} aria-invalid={fault ? true : undefined} aria-describedby="key-fault key-hint" />
							<button type="button" className="button small quiet" aria-pressed={isShown} onClick={() => setShown(!isShown)}>{isShown ? 'Hide' : 'Show'}</button>
						</div>
						<div className="fault" id="key-fault" role="alert">{fault}</div>
					</div>
					<button className="button primary" disabled={isRunning}>{isRunning ? 'One moment…' : 'Sign in'}</button>
				</form>
				{isReadable && <div className="notice warn"><Icon name="warn" /><p>This page is not https: the key crosses the network readable.</p></div>}
				<div className="small soft stack close" id="key-hint">
					<p>It is not kept. This browser gets the key of a session of at most twelve hours, until its last Outdial tab is closed.</p>
					<p>Use a key of your own, with the scopes read and write: everybody’s pages share the rate of their key.</p>
				</div>
			</div>
		</main>
	)
}
